package io.github.consullock.annotation;

import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * The holds under which annotated methods of one thread run, innermost first, and those
 * that are kept for its transactions, newest first. For use by that thread, except where
 * said otherwise.
 */
final class AnnotatedHolds {

	private static final Log logger = LogFactory.getLog(AnnotatedHolds.class);

	private static final ThreadLocal<@Nullable AnnotatedHolds> CURRENT = new ThreadLocal<>();

	private final Deque<AnnotatedHold> holds = new ArrayDeque<>(2);

	/** A transaction may be completed by another thread. */
	private final Deque<AnnotatedHold> kept = new ConcurrentLinkedDeque<>();

	private final InterruptHandshake handshake = new InterruptHandshake(Thread.currentThread());

	private Cleaner.@Nullable Cleanable leftBehind;

	private AnnotatedHolds() {
	}

	/**
	 * The hold that a call joins.
	 * @param call the call
	 * @return the hold, or {@code null} if this thread has none of what the call needs,
	 * or its body has already released it
	 * @throws io.github.consullock.LockLostException if it has one that was lost
	 * @throws IllegalStateException if it holds a part of what the call needs
	 */
	static @Nullable AnnotatedHold find(LockedCall call) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null) {
			return null;
		}
		AnnotatedHold hold = Stream.concat(current.holds.stream(), current.kept.stream())
			.filter((each) -> each.keys().overlap(call) && each.isUsable())
			.findFirst()
			.orElse(null);
		if (hold != null) {
			hold.keys().checkCover(call);
		}
		return hold;
	}

	/**
	 * Has a call whose work outlasts it join what {@link #find} finds, if that lasts
	 * until all who joined it have ended.
	 * @param call the call
	 * @return its part in the hold, or {@code null} if there is none to join
	 * @throws io.github.consullock.LockLostException if it was lost
	 * @throws IllegalStateException if a part is held of what the call needs
	 */
	static @Nullable AsyncHold join(LockedCall call) {
		AnnotatedHold hold = find(call);
		AsyncHold async = (hold != null) ? hold.async() : null;
		return (async != null) ? async.join(call) : null;
	}

	/**
	 * Notes a new hold of this thread, until it is {@linkplain #remove removed}.
	 * @param call the call that acquired it
	 * @param handle what it acquired
	 * @param async the part that the method has in it, if it outlasts the method
	 * @return what runs bodies under it
	 */
	static AnnotatedHold add(LockedCall call, LockHandle handle, @Nullable AsyncHold async) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null) {
			current = new AnnotatedHolds();
		}
		AnnotatedHold hold = new AnnotatedHold(call, handle, current.handshake.newCancellation(), async);
		current.holds.push(hold);
		CURRENT.set(current);
		return hold;
	}

	/**
	 * Forgets the innermost hold of this thread.
	 */
	static void remove() {
		AnnotatedHolds current = CURRENT.get();
		if (current != null) {
			current.holds.pop();
			current.tidy();
		}
	}

	/**
	 * Keeps the innermost hold of this thread, also after it was {@linkplain #remove
	 * removed}, until {@link #endKeeping}. If the thread dies before, the lock is
	 * released some time later.
	 * @param hold the innermost hold
	 * @return those of this thread
	 */
	static AnnotatedHolds keep(AnnotatedHold hold) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null || current.holds.peek() != hold) {
			throw new IllegalArgumentException("not the innermost hold of this thread");
		}
		if (current.leftBehind == null) {
			// Must not lead back to what is to become unreachable.
			Deque<AnnotatedHold> left = current.kept;
			current.leftBehind = LeftBehind.CLEANER.register(current, () -> release(left));
		}
		hold.use();
		current.kept.push(hold);
		return current;
	}

	/**
	 * Ends what {@link #keep} began, on any thread.
	 * @param hold the hold
	 * @return {@code false} if it was lost before
	 */
	boolean endKeeping(AnnotatedHold hold) {
		this.kept.remove(hold);
		if (CURRENT.get() == this) {
			tidy();
		}
		return hold.endUse();
	}

	/**
	 * Returns if none of the holds was lost that this thread keeps, those apart under
	 * which nothing but bodies that go on after a loss have run.
	 * @throws io.github.consullock.LockLostException if one was lost
	 */
	static void ensureKeptAreHeld() {
		AnnotatedHolds current = CURRENT.get();
		if (current != null) {
			current.kept.forEach(AnnotatedHold::ensureNotLost);
		}
	}

	/** Whether anything is left on this thread. */
	static boolean isCurrent() {
		return CURRENT.get() != null;
	}

	private void tidy() {
		if (this.kept.isEmpty()) {
			if (this.leftBehind != null) {
				this.leftBehind.clean();
				this.leftBehind = null;
			}
			if (this.holds.isEmpty()) {
				CURRENT.remove();
			}
		}
	}

	private static void release(Deque<AnnotatedHold> left) {
		for (AnnotatedHold hold = left.poll(); hold != null; hold = left.poll()) {
			logger.warn("The lock '" + hold.handle().key() + "' is released, since the thread has ended whose"
					+ " transaction it was kept for, and has neither committed it nor rolled it back");
			hold.handle().releaseAsync();
		}
	}

	/**
	 * Has a thread of its own, from the first lock on that a transaction keeps.
	 */
	private static final class LeftBehind {

		static final Cleaner CLEANER = Cleaner.create();

	}

}
