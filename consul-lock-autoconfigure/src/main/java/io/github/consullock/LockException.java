package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * The root of all that can go wrong with a lock. Unchecked, as all below it.
 *
 * @since 0.1.0
 */
@SuppressWarnings("serial")
public abstract class LockException extends RuntimeException {

	protected LockException(String message) {
		super(message);
	}

	protected LockException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
