package io.github.consullock.consul;

import java.util.regex.Pattern;

/**
 * Text of others as it may stand in logs, exceptions and what {@code toString} returns.
 *
 * @since 0.1.0
 */
public final class LogText {

	/** As Consul makes ids of sessions: UUIDs. */
	private static final Pattern ID = Pattern
		.compile("([0-9a-fA-F]{8})-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

	/** What could begin a line of its own, or change the order in which one is shown. */
	private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+");

	private LogText() {
	}

	/**
	 * Shortens UUIDs to their first eight digits. Whoever knows the id of a session can
	 * end the session, or write as its holder; so it is treated like a password, and what
	 * is left of it is enough to find it in Consul.
	 * @param text text that may contain ids of sessions
	 * @return the text without them
	 */
	public static String withoutIds(String text) {
		return ID.matcher(text).replaceAll("$1...");
	}

	/**
	 * Replaces what would let a text pass for more than one line of a log.
	 * @param text text that anybody may have written
	 * @return the text on one line
	 */
	public static String onOneLine(String text) {
		return INVISIBLE.matcher(text).replaceAll(" ");
	}

}
