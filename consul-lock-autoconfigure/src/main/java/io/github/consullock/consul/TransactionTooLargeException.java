package io.github.consullock.consul;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.ConsulRefusedException;

/**
 * A transaction has more operations than the server takes in one; nothing of it was
 * applied.
 *
 * @since 0.1.0
 */
public final class TransactionTooLargeException extends ConsulRefusedException {

	private static final long serialVersionUID = 1L;

	private static final String WORDS = "Transaction contains too many operations";

	private static final Pattern BOUND = Pattern.compile(WORDS + " \\(\\d+ > (\\d{1,9})\\)");

	private final int maxOperations;

	TransactionTooLargeException(String message, int maxOperations) {
		super(message);
		this.maxOperations = maxOperations;
	}

	/**
	 * How many operations the server takes in one transaction; 0 if it did not say.
	 */
	public int maxOperations() {
		return this.maxOperations;
	}

	static boolean isTold(String body) {
		return body.contains(WORDS);
	}

	/** Consul has no code for it, only words. */
	static int boundTold(String body) {
		Matcher matcher = BOUND.matcher(body);
		return matcher.find() ? Integer.parseInt(matcher.group(1)) : 0;
	}

}
