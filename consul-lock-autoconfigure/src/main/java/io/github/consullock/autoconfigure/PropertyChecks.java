package io.github.consullock.autoconfigure;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.LockOptions;
import io.github.consullock.session.SessionSettings;

import org.springframework.boot.convert.DurationStyle;

/**
 * Refuses values of {@code consul.lock.*} that cannot work, naming the property.
 */
final class PropertyChecks {

	private static final Pattern SESSION_PROPERTY = Pattern.compile("\\bsession\\.([a-z]+(?:-[a-z]+)*)");

	private PropertyChecks() {
	}

	/**
	 * Checks all but the session, which {@link #session} does, and the connection, which
	 * a bean may replace.
	 * @param properties the values
	 * @throws InvalidLockPropertyException if one cannot be used
	 */
	static void check(ConsulLockProperties properties) {
		checkKeyPrefix(properties.keyPrefix());
		checkRange("shutdown-timeout", properties.shutdownTimeout(), Duration.ZERO, Duration.ofHours(1));
		ConsulLockProperties.Waiting waiting = properties.waiting();
		checkRange("waiting.timeout", waiting.timeout(), Duration.ZERO, Duration.ofDays(365));
		checkRange("waiting.slow-threshold", waiting.slowThreshold(), Duration.ofMillis(1), Duration.ofDays(365));
		if (waiting.maxWatches() < 1) {
			throw invalid("waiting.max-watches", "must be at least 1, but is " + waiting.maxWatches());
		}
		ConsulLockProperties.Connection connection = properties.connection();
		checkRange("connection.connect-timeout", connection.connectTimeout(), Duration.ofMillis(1),
				Duration.ofMinutes(10));
		checkRange("connection.read-timeout", connection.readTimeout(), Duration.ofMillis(1), Duration.ofMinutes(10));
	}

	private static void checkKeyPrefix(String prefix) {
		if (!prefix.endsWith("/") || prefix.length() == 1) {
			throw invalid("key-prefix", "must be a path that ends with '/', such as 'locks/', but is '" + prefix + "'");
		}
		String path = prefix.substring(0, prefix.length() - 1);
		if (List.of(path.split("/", -1)).contains(LockOptions.RESERVED_SEGMENT)) {
			throw invalid("key-prefix", "is '" + prefix + "', but consul-lock keeps the segment '"
					+ LockOptions.RESERVED_SEGMENT + "' for itself; choose another name");
		}
		try {
			LockOptions.checkKey(path);
		}
		catch (IllegalArgumentException ex) {
			throw new InvalidLockPropertyException(name("key-prefix"),
					name("key-prefix") + " is '" + prefix + "', under which no key is valid: " + ex.getMessage(), ex);
		}
	}

	private static void checkRange(String property, Duration value, Duration min, Duration max) {
		if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
			throw invalid(property, "must be between " + text(min) + " and " + text(max) + ", but is " + text(value));
		}
	}

	/**
	 * The settings of the session.
	 * @param session the values
	 * @param defaultName its name if none is set
	 * @param serviceChecks the service checks it is bound to
	 * @return the settings
	 * @throws InvalidLockPropertyException if a value cannot be used
	 */
	static SessionSettings session(ConsulLockProperties.Session session, String defaultName,
			List<String> serviceChecks) {
		String name = (session.name() != null && !session.name().isBlank()) ? session.name() : defaultName;
		try {
			return new SessionSettings(name, session.ttl(), session.lockDelay(), session.behavior(),
					session.nodeChecks(), serviceChecks, session.safetyMargin(), session.allowUnsafe());
		}
		catch (IllegalArgumentException ex) {
			// Its messages name the setting as "session.ttl", the first one being at
			// fault.
			Matcher matcher = SESSION_PROPERTY.matcher(String.valueOf(ex.getMessage()));
			String property = name(matcher.find() ? matcher.group() : "session");
			throw new InvalidLockPropertyException(property, matcher.replaceAll(name("session.$1")), ex);
		}
	}

	/**
	 * Checks an address of Consul.
	 * @param url the address
	 * @return the address
	 * @throws InvalidLockPropertyException if it is none
	 */
	static URI url(URI url) {
		boolean http = "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
		if (!http || url.getHost() == null || url.getRawQuery() != null || url.getRawFragment() != null
				|| url.getRawUserInfo() != null) {
			throw invalid("connection.url", "must be an http or https URL with a host and neither user nor query,"
					+ " such as 'http://localhost:8500', but is '" + withoutUser(url.toString()) + "'");
		}
		if (url.getPort() != -1 && !isPort(url.getPort())) {
			throw invalid("connection.url", "has the port " + url.getPort() + ", which is not between 1 and 65535");
		}
		return url;
	}

	/**
	 * An address as messages may show it.
	 * @param url the address
	 * @return the address without user and password
	 */
	static String withoutUser(String url) {
		return url.replaceFirst("//[^/?#]*@", "//");
	}

	static boolean isPort(int port) {
		return port >= 1 && port <= 65535;
	}

	/**
	 * A value that cannot be used.
	 * @param property the name below {@code consul.lock}
	 * @param fault what is wrong, as the rest of a sentence that begins with the name
	 * @return the exception
	 */
	static InvalidLockPropertyException invalid(String property, String fault) {
		return new InvalidLockPropertyException(name(property), name(property) + " " + fault);
	}

	static String text(Duration duration) {
		if (duration.toMillis() % 1000 != 0) {
			return DurationStyle.SIMPLE.print(duration);
		}
		boolean hours = duration.toSeconds() % 3600 == 0 && !duration.isZero();
		return hours ? duration.toHours() + "h" : duration.toSeconds() + "s";
	}

	private static String name(String property) {
		return ConsulLockProperties.PREFIX + "." + property;
	}

}
