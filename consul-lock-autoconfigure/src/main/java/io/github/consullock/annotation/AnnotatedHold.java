package io.github.consullock.annotation;

import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * A hold by annotated methods of one thread: the outermost acquires and releases it,
 * those inside join it.
 */
final class AnnotatedHold {

	private final HeldKeys keys;

	private final LockHandle handle;

	private final InterruptHandshake.Cancellation cancellation;

	/** The body of the call that acquired it, and a transaction that it outlasts. */
	private final AtomicInteger users = new AtomicInteger(1);

	private final @Nullable AsyncHold async;

	private volatile boolean required;

	/**
	 * Creates a hold.
	 * @param call the call that acquired it
	 * @param handle what it acquired
	 * @param cancellation cancels the bodies that run under it
	 * @param async the part that the method has in it, if it outlasts the method
	 */
	AnnotatedHold(LockedCall call, LockHandle handle, InterruptHandshake.Cancellation cancellation,
			@Nullable AsyncHold async) {
		this.keys = HeldKeys.of(call);
		this.handle = handle;
		this.cancellation = cancellation;
		this.async = async;
		handle.onLost(cancellation::lost);
	}

	LockHandle handle() {
		return this.handle;
	}

	HeldKeys keys() {
		return this.keys;
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
		boolean cancel = call.spec().onLost() == LossPolicy.CANCEL;
		boolean cancellable = cancel && this.cancellation.begin();
		if (!cancellable && this.cancellation.reason() != null) {
			return new Outcome(null, lost(null));
		}
		if (cancel) {
			this.required = true;
		}
		try (CurrentLockHandle.Scope scope = CurrentLockHandle.open(this.handle, cancel)) {
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

	/**
	 * Has the lock held until {@link #endUse()} was called once more.
	 */
	void use() {
		this.users.incrementAndGet();
	}

	/**
	 * Releases the lock, unless something else still needs it.
	 * @return {@code false} if it was lost before
	 */
	boolean endUse() {
		return (this.users.decrementAndGet() == 0) ? this.handle.release() : !isLost();
	}

	/**
	 * Returns unless a body has run under this hold that is cancelled by a loss, and the
	 * lock was lost.
	 * @throws LockLostException if so
	 */
	void ensureNotLost() {
		if (this.required) {
			isUsable();
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
