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
final class ThreadHolds {

	private static final ThreadLocal<@Nullable ThreadHolds> CURRENT = new ThreadLocal<>();

	private final Deque<Hold> holds = new ArrayDeque<>(2);

	private final InterruptHandshake handshake = new InterruptHandshake(Thread.currentThread());

	private ThreadHolds() {
	}

	/**
	 * The hold of a key that a call joins.
	 * @param registry the registry
	 * @param key the full key
	 * @return the hold, or {@code null} if this thread has none, or its body has already
	 * released it
	 * @throws io.github.consullock.LockLostException if it has one that was lost
	 */
	static @Nullable Hold find(ConsulLockRegistry registry, String key) {
		ThreadHolds current = CURRENT.get();
		if (current == null) {
			return null;
		}
		Predicate<Hold> same = (hold) -> hold.registry() == registry && hold.handle().key().equals(key);
		Hold hold = current.holds.stream().filter(same).findFirst().orElse(null);
		return (hold != null && hold.isUsable()) ? hold : null;
	}

	/**
	 * Notes a new hold of this thread, until it is {@linkplain #remove removed}.
	 * @param registry where it was acquired
	 * @param handle the hold
	 * @return what runs bodies under it
	 */
	static Hold add(ConsulLockRegistry registry, LockHandle handle) {
		ThreadHolds current = CURRENT.get();
		if (current == null) {
			current = new ThreadHolds();
		}
		Hold hold = new Hold(registry, handle, current.handshake.newCancellation());
		current.holds.push(hold);
		CURRENT.set(current);
		return hold;
	}

	/**
	 * Forgets the innermost hold of this thread.
	 */
	static void remove() {
		ThreadHolds current = CURRENT.get();
		if (current != null) {
			current.holds.pop();
			if (current.holds.isEmpty()) {
				CURRENT.remove();
			}
		}
	}

}
