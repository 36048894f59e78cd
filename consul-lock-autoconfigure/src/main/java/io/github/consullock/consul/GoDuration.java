package io.github.consullock.consul;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as Go writes them, and so as Consul does: {@code 25s}, {@code 1m30s},
 * {@code 1.5h}.
 */
final class GoDuration {

	private static final Pattern PART = Pattern.compile("\\G(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)");

	private GoDuration() {
	}

	/**
	 * Reads a duration; an empty text, as Consul has it for none, is zero.
	 */
	static Duration parse(String text) {
		if (text.isEmpty() || "0".equals(text)) {
			return Duration.ZERO;
		}
		Matcher part = PART.matcher(text);
		BigDecimal nanos = BigDecimal.ZERO;
		int end = 0;
		while (part.find()) {
			nanos = nanos.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(nanos(part.group(2)))));
			end = part.end();
		}
		if (end != text.length()) {
			throw new IllegalArgumentException("Not a duration: " + text);
		}
		return Duration.ofNanos(nanos.longValue());
	}

	private static long nanos(String unit) {
		return switch (unit) {
			case "ns" -> 1L;
			case "us", "µs", "μs" -> 1_000L;
			case "ms" -> 1_000_000L;
			case "s" -> 1_000_000_000L;
			case "m" -> 60_000_000_000L;
			default -> 3_600_000_000_000L;
		};
	}

	static String format(Duration duration) {
		return (duration.toMillis() % 1000 == 0) ? duration.toSeconds() + "s" : duration.toMillis() + "ms";
	}

}
