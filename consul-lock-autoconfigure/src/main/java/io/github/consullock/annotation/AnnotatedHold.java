package io.github.consullock.annotation;

import java.util.Collections;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

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

	private final Set<String> keys;

	private final int limit;

	private final LockHandle handle;

	private final InterruptHandshake.Cancellation cancellation;

	/** The body of the call that acquired it, and a transaction that it outlasts. */
	private final AtomicInteger users = new AtomicInteger(1);

	private volatile boolean required;

	/**
	 * Creates a hold.
	 * @param call the call that acquired it
	 * @param handle what it acquired
	 * @param cancellation cancels the bodies that run under it
	 */
	AnnotatedHold(LockedCall call, LockHandle handle, InterruptHandshake.Cancellation cancellation) {
		this.registry = call.registry();
		this.keys = Set.copyOf(call.keys());
		this.limit = call.spec().terms().limit();
		this.handle = handle;
		this.cancellation = cancellation;
		handle.onLost(cancellation::lost);
	}

	LockHandle handle() {
		return this.handle;
	}

	/**
	 * Whether a call needs some of what is held here.
	 * @param call the call
	 * @return whether it would wait for this hold
	 */
	boolean overlaps(LockedCall call) {
		return this.registry == call.registry() && this.limit == call.spec().terms().limit()
				&& !Collections.disjoint(this.keys, call.keys());
	}

	/**
	 * Has a call join that {@linkplain #overlaps overlaps}.
	 * @param call the call
	 * @throws IllegalStateException if it needs more than is held here
	 */
	void checkCovers(LockedCall call) {
		if (!this.keys.containsAll(call.keys())) {
			throw new IllegalStateException(call.spec().method() + " is to be called under the keys " + call.keys()
					+ ", of which a method around it holds only a part, " + new TreeSet<>(this.keys)
					+ ": it would wait for its own caller. Have the method around it lock all of them, by 'keys'");
		}
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
		if (failure instanceof LockLostException told && told.key().equals(this.handle.key())
				&& told.fencingToken() == this.handle.fencingToken()) {
			return told;
		}
		return new LockLostException(this.handle.key(), this.handle.fencingToken(), reason(), failure);
	}

	/** The callback may still be on its way when the loss is already known. */
	private LockLostReason reason() {
		LockLostReason reason = this.cancellation.reason();
		if (reason != null) {
			return reason;
		}
		try {
			this.handle.ensureHeld();
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
