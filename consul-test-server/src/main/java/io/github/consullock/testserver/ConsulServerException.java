package io.github.consullock.testserver;

import org.jspecify.annotations.Nullable;

/**
 * No Consul could be found, started, or driven. The message says what was tried, what was
 * found, and what to install or set; where an agent ran, it ends with the tail of its
 * log.
 *
 * @since 0.1.0
 */
@SuppressWarnings("serial") // Never serialized: it ends a test or a demo.
public final class ConsulServerException extends RuntimeException {

	ConsulServerException(String message) {
		super(message);
	}

	ConsulServerException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
