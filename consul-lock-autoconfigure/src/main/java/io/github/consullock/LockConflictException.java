package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * The key holds something that is no lock: an entry whose flags are not those of a lock.
 * It is never overwritten.
 *
 * @since 0.1.0
 */
public final class LockConflictException extends LockException {

	private static final long serialVersionUID = 1L;

	public LockConflictException(String message) {
		super(message);
	}

	public LockConflictException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
