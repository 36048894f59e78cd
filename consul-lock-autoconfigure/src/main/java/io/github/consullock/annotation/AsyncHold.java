package io.github.consullock.annotation;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.lock.UnusedHold;
import org.jspecify.annotations.Nullable;

/**
 * The part that one call has in a hold which outlasts the method that was called. The
 * hold itself is released when all its parts have ended: what joined it must not go on
 * without the lock. Safe for use by several threads at once.
 */
final class AsyncHold {

	private final Hold hold;

	private final boolean owner;

	private final AtomicBoolean ended = new AtomicBoolean();

	private AsyncHold(Hold hold, boolean owner) {
		this.hold = hold;
		this.owner = owner;
	}

	/**
	 * Begins a hold.
	 * @param call the call that acquired it
	 * @param handle the hold
	 * @return the part of that call
	 */
	static AsyncHold of(LockedCall call, LockHandle handle) {
		return new AsyncHold(new Hold(call, handle), true);
	}

	HeldKeys keys() {
		return this.hold.keys;
	}

	LockHandle handle() {
		return this.hold.handle;
	}

	/**
	 * Has another call take part, which {@linkplain HeldKeys#overlap overlaps}.
	 * @param call the call
	 * @return its part, or {@code null} if the hold has ended, or the body has released
	 * it itself
	 * @throws LockLostException if it was lost
	 * @throws IllegalStateException if the call needs more than is held here
	 */
	@Nullable AsyncHold join(LockedCall call) {
		try {
			handle().ensureHeld();
		}
		catch (IllegalStateException ex) {
			return null;
		}
		keys().checkCover(call);
		return this.hold.enter() ? new AsyncHold(this.hold, false) : null;
	}

	/**
	 * Runs a method under this hold, which stays held at least until it returns. The
	 * calling thread is interrupted if the hold is lost meanwhile.
	 * @param call the call of the method
	 * @return how it ended
	 */
	AnnotatedHold.Outcome run(LockedCall call) {
		if (!this.hold.enter()) {
			return new AnnotatedHold.Outcome(null, new CancellationException("The call was given up"));
		}
		this.hold.used = true;
		try {
			AnnotatedHold current = AnnotatedHolds.add(this.hold.acquirer, handle(), this);
			try {
				return current.run(call);
			}
			finally {
				AnnotatedHolds.remove();
			}
		}
		finally {
			this.hold.exit();
		}
	}

	/**
	 * Has an action run once the hold is lost; at once if it already is.
	 * @param action what to do
	 */
	void onLost(Runnable action) {
		handle().onLost((reason) -> action.run());
	}

	boolean isLost() {
		return this.hold.isLost();
	}

	LockLostException lost(@Nullable Throwable failure) {
		return AnnotatedHold.lost(handle(), this.hold.reason, failure);
	}

	/**
	 * Ends this part. Does no harm when called twice.
	 * @return whether the lock was held to the end: of the one who acquired it, completed
	 * when it was released or lost; of one who joined, at once
	 */
	CompletableFuture<Boolean> end() {
		if (this.ended.compareAndSet(false, true)) {
			this.hold.exit();
		}
		return this.owner ? this.hold.released.copy() : CompletableFuture.completedFuture(!isLost());
	}

	/** What all parts have in common. */
	private static final class Hold {

		private final LockedCall acquirer;

		private final HeldKeys keys;

		private final LockHandle handle;

		private final AtomicInteger parts = new AtomicInteger(1);

		private final CompletableFuture<Boolean> released = new CompletableFuture<>();

		private volatile @Nullable LockLostReason reason;

		/** Whether a method has run under it. */
		private volatile boolean used;

		private Hold(LockedCall acquirer, LockHandle handle) {
			this.acquirer = acquirer;
			this.keys = HeldKeys.of(acquirer);
			this.handle = handle;
			handle.onLost((reason) -> {
				this.reason = reason;
				this.released.complete(false);
			});
		}

		private boolean isLost() {
			if (this.reason != null) {
				return true;
			}
			try {
				this.handle.ensureHeld();
				return false;
			}
			catch (LockLostException ex) {
				return true;
			}
			catch (IllegalStateException ex) {
				return false; // released by the body
			}
		}

		private boolean enter() {
			return this.parts.getAndUpdate((count) -> (count > 0) ? count + 1 : 0) > 0;
		}

		/** What came too late for its caller keeps nobody out. */
		private CompletableFuture<Boolean> release() {
			return this.used ? this.handle.releaseAsync() : CallThreads.supply(() -> {
				UnusedHold.discard(this.handle);
				return true;
			});
		}

		private void exit() {
			if (this.parts.decrementAndGet() == 0) {
				release().whenComplete((kept, failure) -> {
					if (failure != null) {
						this.released.completeExceptionally(failure);
					}
					else {
						this.released.complete(kept);
					}
				});
			}
		}

	}

}
