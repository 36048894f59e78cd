package io.github.consullock.annotation;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;

/**
 * A hold by annotated methods of one thread: the outermost acquires and releases it,
 * those inside join it.
 */
final class AnnotatedHold {

	private final ConsulLockRegistry registry;

	private final LockHandle handle;

	private final InterruptHandshake.Cancellation cancellation;

	private final @Nullable AsyncHold async;

	AnnotatedHold(ConsulLockRegistry registry, LockHandle handle, InterruptHandshake.Cancellation cancellation,
			@Nullable AsyncHold async) {
		this.registry = registry;
		this.handle = handle;
		this.cancellation = cancellation;
		this.async = async;
		handle.onLost(cancellation::lost);
	}

	ConsulLockRegistry registry() {
		return this.registry;
	}

	LockHandle handle() {
		return this.handle;
	}

	/**
	 * The part that the method has in a hold which outlasts it, or {@code null} if the
	 * hold ends with the method.
	 */
	@Nullable AsyncHold async() {
		return this.async;
	}

	/**
	 * Whether a call may join.
	 * @return {@code false} if the body has released the lock itself
	 * @throws LockLostException if the lock was lost
	 */
	boolean isUsable() {
		if (this.cancellation.reason() != null) {
			throw lost(null);
		}
		try {
			this.handle.ensureHeld();
			return true;
		}
		catch (IllegalStateException ex) {
			return false;
		}
	}

	/**
	 * Runs a body under this hold, which stays held. The body does not start if the hold
	 * is lost.
	 * @param call the call of the body
	 * @return how it ended
	 */
	@SuppressWarnings("try") // The scope is closed, not used.
	Outcome run(LockedCall call) {
		boolean cancellable = call.spec().onLost() == LossPolicy.CANCEL && this.cancellation.begin();
		if (!cancellable && this.cancellation.reason() != null) {
			return new Outcome(null, lost(null));
		}
		try (CurrentLockHandle.Scope scope = CurrentLockHandle.open(this.handle)) {
			return new Outcome(call.proceed(this.handle), null);
		}
		catch (Throwable ex) {
			return new Outcome(null, ex);
		}
		finally {
			if (cancellable) {
				this.cancellation.end();
			}
		}
	}

	boolean isLost() {
		try {
			return !isUsable() && this.cancellation.reason() != null;
		}
		catch (LockLostException ex) {
			return true;
		}
	}

	/**
	 * What the caller gets of a body under a lock that was lost.
	 * @param failure what the body ended with, if anything
	 */
	LockLostException lost(@Nullable Throwable failure) {
		return lost(this.handle, this.cancellation.reason(), failure);
	}

	static LockLostException lost(LockHandle handle, @Nullable LockLostReason told, @Nullable Throwable failure) {
		if (failure instanceof LockLostException ex && ex.key().equals(handle.key())
				&& ex.fencingToken() == handle.fencingToken()) {
			return ex;
		}
		return new LockLostException(handle.key(), handle.fencingToken(), reason(handle, told), failure);
	}

	/** The callback may still be on its way when the loss is already known. */
	private static LockLostReason reason(LockHandle handle, @Nullable LockLostReason told) {
		if (told != null) {
			return told;
		}
		try {
			handle.ensureHeld();
		}
		catch (LockLostException ex) {
			return ex.reason();
		}
		catch (IllegalStateException ex) {
			// Released, so what is left is that it came too late.
		}
		return LockLostReason.DEADLINE_PASSED;
	}

	/**
	 * How a body ended.
	 *
	 * @param result what it returned
	 * @param failure what it threw
	 */
	record Outcome(@Nullable Object result, @Nullable Throwable failure) {

		@Nullable Object get() throws Throwable {
			if (this.failure != null) {
				throw this.failure;
			}
			return this.result;
		}

	}

}
