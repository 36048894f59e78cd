package io.github.consullock.annotation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Predicate;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
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
	 * The hold of a key that a call joins.
	 * @param registry the registry
	 * @param key the full key
	 * @return the hold, or {@code null} if this thread has none, or its body has already
	 * released it
	 * @throws io.github.consullock.LockLostException if it has one that was lost
	 */
	static @Nullable AnnotatedHold find(ConsulLockRegistry registry, String key) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null) {
			return null;
		}
		Predicate<AnnotatedHold> same = (hold) -> hold.registry() == registry && hold.handle().key().equals(key);
		AnnotatedHold hold = current.holds.stream().filter(same).findFirst().orElse(null);
		return (hold != null && hold.isUsable()) ? hold : null;
	}

	/**
	 * Has a call whose work outlasts it join the hold of a key, if that one lasts until
	 * all who joined it have ended.
	 * @param registry the registry
	 * @param key the full key
	 * @return its part in the hold, or {@code null} if there is none to join
	 * @throws io.github.consullock.LockLostException if it was lost
	 */
	static @Nullable AsyncHold join(ConsulLockRegistry registry, String key) {
		AnnotatedHold hold = find(registry, key);
		AsyncHold async = (hold != null) ? hold.async() : null;
		return (async != null) ? async.join() : null;
	}

	/**
	 * Notes a new hold of this thread, until it is {@linkplain #remove removed}.
	 * @param registry where it was acquired
	 * @param handle the hold
	 * @param async the part that the method has in it, if it outlasts the method
	 * @return what runs bodies under it
	 */
	static AnnotatedHold add(ConsulLockRegistry registry, LockHandle handle, @Nullable AsyncHold async) {
		AnnotatedHolds current = CURRENT.get();
		if (current == null) {
			current = new AnnotatedHolds();
		}
		AnnotatedHold hold = new AnnotatedHold(registry, handle, current.handshake.newCancellation(), async);
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
