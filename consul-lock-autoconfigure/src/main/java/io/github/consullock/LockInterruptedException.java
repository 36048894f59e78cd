package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * The thread was interrupted while it waited for a lock. Nothing is held and nothing is
 * left behind; the thread's interrupt flag is set again.
 *
 * @since 0.1.0
 */
public final class LockInterruptedException extends LockException {

	private static final long serialVersionUID = 1L;

	public LockInterruptedException(String message) {
		super(message);
	}

	public LockInterruptedException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
