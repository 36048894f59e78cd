package io.github.consullock.annotation;

/**
 * What a call does that did not get its lock within the wait time.
 *
 * @since 0.1.0
 * @see DistributedLock#onNotAcquired()
 */
public enum NotAcquiredPolicy {

	/**
	 * Throws {@link io.github.consullock.LockNotAcquiredException}.
	 */
	THROW,

	/**
	 * Returns without running the body: nothing, {@code null}, {@code false},
	 * {@code Optional.empty()}, or an empty collection, map, stream, array or publisher,
	 * or a future with one of these, as the method's return type has it. A method that
	 * returns any other primitive may not skip and is refused at the start.
	 */
	SKIP

}
