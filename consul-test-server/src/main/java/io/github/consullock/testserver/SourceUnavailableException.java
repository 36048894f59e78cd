package io.github.consullock.testserver;

/**
 * One way to get a Consul does not work here; the message says why.
 */
@SuppressWarnings("serial") // Never leaves this package.
final class SourceUnavailableException extends Exception {

	SourceUnavailableException(String message) {
		super(message);
	}

}
