package io.github.consullock;

/**
 * A lock was not to be had within the wait time. The message says for whom it was held,
 * or that the key was in lock-delay.
 *
 * @since 0.1.0
 */
public final class LockNotAcquiredException extends LockException {

	private static final long serialVersionUID = 1L;

	private final String key;

	public LockNotAcquiredException(String key, String message) {
		super(message);
		this.key = key;
	}

	/**
	 * The full Consul key of the lock.
	 */
	public String key() {
		return this.key;
	}

}
