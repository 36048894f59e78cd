package io.github.consullock.sample;

import org.jspecify.annotations.Nullable;

/**
 * A receiver could not be reached, or did not take a webhook.
 */
class ReceiverException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	ReceiverException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
