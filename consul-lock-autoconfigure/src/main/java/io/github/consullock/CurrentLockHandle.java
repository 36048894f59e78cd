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

	/**
	 * The key of a {@link Scope} in contexts that go from thread to thread, such as that
	 * of Reactor.
	 */
	public static final String CONTEXT_KEY = "io.github.consullock.LockHandle";

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
		Scope scope = new Scope(handle, required, SCOPES.get(), Thread.currentThread());
		SCOPES.set(scope);
		return scope;
	}

	/**
	 * A scope to be put into a context that goes from thread to thread, under
	 * {@link #CONTEXT_KEY}. It is open as long as it is there.
	 * @param handle the hold that goes with the context
	 * @param required whether what is done meanwhile counts only if the lock is still
	 * held, see {@link #ensureHeld()}
	 * @param outer what the context had before, if anything
	 * @return the scope, open on no thread
	 */
	public static Scope inContext(LockHandle handle, boolean required, @Nullable Scope outer) {
		return new Scope(handle, required, outer, null);
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

	static @Nullable Scope scope() {
		return SCOPES.get();
	}

	static void restore(@Nullable Scope scope) {
		if (scope == null) {
			SCOPES.remove();
		}
		else {
			SCOPES.set(scope);
		}
	}

	/**
	 * The time during which a handle is the current one of a thread or context.
	 */
	public static final class Scope implements AutoCloseable {

		private final LockHandle handle;

		private final boolean required;

		private final @Nullable Scope outer;

		/** Of one that was opened on a thread, and does not leave it. */
		private final @Nullable Thread thread;

		private Scope(LockHandle handle, boolean required, @Nullable Scope outer, @Nullable Thread thread) {
			this.handle = handle;
			this.required = required;
			this.outer = outer;
			this.thread = thread;
		}

		/**
		 * The hold.
		 */
		public LockHandle handle() {
			return this.handle;
		}

		boolean isForThisThread() {
			return this.thread == null || this.thread == Thread.currentThread();
		}

		@Override
		public void close() {
			restore(this.outer);
		}

	}

}
