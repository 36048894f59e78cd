package io.github.consullock.benchmarks;

/**
 * Something that a measurement takes is not on this machine.
 */
final class MissingException extends Exception {

	MissingException(String message) {
		super(message);
	}

}
