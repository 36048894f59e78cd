package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * Consul did not answer, or answered that it cannot serve for the moment: a connection
 * refused or broken, a timeout, a 5xx or 429. Whether a write was applied is unknown to
 * the caller of this exception; locks settle that themselves.
 *
 * @since 0.1.0
 */
public final class ConsulUnavailableException extends LockException {

	private static final long serialVersionUID = 1L;

	public ConsulUnavailableException(String message) {
		super(message);
	}

	public ConsulUnavailableException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
