package io.github.consullock;

import java.util.Optional;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/**
 * The holds that the calling thread runs under, innermost first. For code that runs
 * others under a lock, as the interceptor of {@code @DistributedLock} does; everybody
 * else asks {@link LockHandle#current()}.
 *
 * @since 0.1.0
 */
public final class CurrentLockHandle {

	private static final ThreadLocal<@Nullable Scope> SCOPES = new ThreadLocal<>();

	private CurrentLockHandle() {
	}

	/**
	 * Makes the handle the current one of this thread until the scope is closed, which
	 * must happen on the same thread and in reverse order of opening.
	 * @param handle the hold that the thread runs under from now on
	 * @return to be closed when it no longer does
	 */
	public static Scope open(LockHandle handle) {
		return open(handle, true);
	}

	/**
	 * Makes the handle the current one of this thread until the scope is closed, which
	 * must happen on the same thread and in reverse order of opening.
	 * @param handle the hold that the thread runs under from now on
	 * @param required whether what is done meanwhile counts only if the lock is still
	 * held, see {@link #ensureHeld()}
	 * @return to be closed when it no longer does
	 */
	public static Scope open(LockHandle handle, boolean required) {
		Scope scope = new Scope(handle, required, SCOPES.get());
		SCOPES.set(scope);
		return scope;
	}

	/**
	 * The innermost hold of this thread.
	 */
	public static Optional<LockHandle> get() {
		return find((handle) -> true);
	}

	/**
	 * The innermost hold of this thread that fits.
	 * @param condition what to look for
	 * @return the hold, or empty
	 */
	public static Optional<LockHandle> find(Predicate<LockHandle> condition) {
		for (Scope scope = SCOPES.get(); scope != null; scope = scope.outer) {
			if (condition.test(scope.handle)) {
				return Optional.of(scope.handle);
			}
		}
		return Optional.empty();
	}

	/**
	 * Returns if none of the holds was lost that this thread runs under and that are
	 * required. Who released one while running under it wanted that, and may go on.
	 * @throws LockLostException if one was lost
	 */
	public static void ensureHeld() {
		for (Scope scope = SCOPES.get(); scope != null; scope = scope.outer) {
			if (scope.required) {
				ensureNotLost(scope.handle);
			}
		}
	}

	private static void ensureNotLost(LockHandle handle) {
		try {
			handle.ensureHeld();
		}
		catch (IllegalStateException ex) {
			// Released.
		}
	}

	/**
	 * The time during which a handle is a thread's current one.
	 */
	public static final class Scope implements AutoCloseable {

		private final LockHandle handle;

		private final boolean required;

		private final @Nullable Scope outer;

		private Scope(LockHandle handle, boolean required, @Nullable Scope outer) {
			this.handle = handle;
			this.required = required;
			this.outer = outer;
		}

		@Override
		public void close() {
			if (this.outer == null) {
				SCOPES.remove();
			}
			else {
				SCOPES.set(this.outer);
			}
		}

	}

}
