package io.github.consullock.sample;

import java.util.Collection;
import java.util.TreeSet;

/**
 * A webhook is for a receiver that is not configured.
 */
class UnknownReceiverException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	UnknownReceiverException(String name, Collection<String> known) {
		super("There is no receiver '%s', only %s; sample.receivers.%s=<url> adds it".formatted(name,
				new TreeSet<>(known), name));
	}

}
