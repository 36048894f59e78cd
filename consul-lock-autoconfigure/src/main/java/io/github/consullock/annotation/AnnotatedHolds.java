package io.github.consullock.annotation;

import java.util.ArrayDeque;
import java.util.Deque;

import io.github.consullock.LockHandle;
import org.jspecify.annotations.Nullable;

/**
 * The holds under which annotated methods of one thread run, innermost first. For use by
 * that thread.
 */
final class AnnotatedHolds {

	private static final ThreadLocal<@Nullable AnnotatedHolds> CURRENT = new ThreadLocal<>();

	private final Deque<AnnotatedHold> holds = new ArrayDeque<>(2);

	private final InterruptHandshake handshake = new InterruptHandshake(Thread.currentThread());

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
		AnnotatedHold hold = current.holds.stream()
			.filter((each) -> each.overlaps(call) && each.isUsable())
			.findFirst()
			.orElse(null);
		if (hold != null) {
			hold.checkCovers(call);
		}
		return hold;
	}

	/**
	 * Notes a new hold of this thread, until it is {@linkplain #remove removed}.
	 * @param call the call that acquired it
	 * @param handle what it acquired
	 * @return what runs bodies under it
	 */
	static AnnotatedHold add(LockedCall call, LockHandle handle) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null) {
			current = new AnnotatedHolds();
		}
		AnnotatedHold hold = new AnnotatedHold(call, handle, current.handshake.newCancellation());
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
			if (current.holds.isEmpty()) {
				CURRENT.remove();
			}
		}
	}

}
