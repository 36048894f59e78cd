package io.github.consullock.testserver;

import java.io.IOException;

/**
 * A port that was free a moment ago is taken: worth another try with other ports.
 */
@SuppressWarnings("serial") // Never leaves this package.
final class PortTakenException extends IOException {

	PortTakenException(String message) {
		super(message);
	}

}
