package io.github.consullock.annotation;

/**
 * What happens to a running body when its lock is lost.
 *
 * @since 0.1.0
 * @see DistributedLock#onLost()
 */
public enum LossPolicy {

	/**
	 * The body is cancelled: its thread is interrupted, the future or the subscription to
	 * the publisher that it returned is cancelled, and the caller gets
	 * {@link io.github.consullock.LockLostException} however the body ended, with the
	 * body's own exception as its cause.
	 */
	CANCEL,

	/**
	 * The body goes on, and its result or exception is the caller's. It learns of the
	 * loss by {@link io.github.consullock.LockHandle#ensureHeld()},
	 * {@link io.github.consullock.LockHandle#isHeld()} or
	 * {@link io.github.consullock.LockHandle#onLost(java.util.function.Consumer)}.
	 */
	NOTIFY

}
