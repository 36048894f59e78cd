package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * A lock was lost while it was held. What it protected may have been done by somebody
 * else since.
 *
 * @since 0.1.0
 */
public final class LockLostException extends LockException {

	private static final long serialVersionUID = 1L;

	private final String key;

	private final long fencingToken;

	private final LockLostReason reason;

	public LockLostException(String key, long fencingToken, LockLostReason reason) {
		this(key, fencingToken, reason, null);
	}

	/**
	 * Creates the exception.
	 * @param key the full Consul key of the lock
	 * @param fencingToken the token of the hold that was lost
	 * @param reason why it was lost
	 * @param cause what the cancelled work itself ended with, if anything
	 */
	public LockLostException(String key, long fencingToken, LockLostReason reason, @Nullable Throwable cause) {
		super("The lock '" + key + "' (fencing token " + fencingToken + ") was lost while it was held: " + reason,
				cause);
		this.key = key;
		this.fencingToken = fencingToken;
		this.reason = reason;
	}

	/**
	 * The full Consul key of the lock.
	 */
	public String key() {
		return this.key;
	}

	/**
	 * The fencing token of the hold that was lost.
	 */
	public long fencingToken() {
		return this.fencingToken;
	}

	/**
	 * Why the lock was lost.
	 */
	public LockLostReason reason() {
		return this.reason;
	}

}
