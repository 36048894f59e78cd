package io.github.consullock;

/**
 * A lock's entry was to be destroyed, and somebody holds the lock.
 *
 * @since 0.1.0
 */
public final class LockInUseException extends LockException {

	private static final long serialVersionUID = 1L;

	public LockInUseException(String message) {
		super(message);
	}

}
