package io.github.consullock;

import org.jspecify.annotations.Nullable;

/**
 * Consul answered and refused: the token may not do this, the request is malformed, TLS
 * does not fit, or a session's settings were not taken. Trying again does not help; the
 * configuration must change.
 *
 * @since 0.1.0
 */
public class ConsulRefusedException extends LockException {

	private static final long serialVersionUID = 1L;

	public ConsulRefusedException(String message) {
		super(message);
	}

	public ConsulRefusedException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
