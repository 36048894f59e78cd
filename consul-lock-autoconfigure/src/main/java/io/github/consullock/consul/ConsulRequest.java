package io.github.consullock.consul;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * A request to Consul's HTTP API.
 *
 * @param method the HTTP method
 * @param path the path below the base path, encoded
 * @param query the query without the settings of the connection, encoded; may be empty
 * @param body the JSON to send, or {@code null} for none
 * @param timeout how long the answer may take
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ConsulRequest(String method, String path, String query, byte @Nullable [] body, Duration timeout) {

	static ConsulRequest get(String path, String query, Duration timeout) {
		return new ConsulRequest("GET", path, query, null, timeout);
	}

	static ConsulRequest put(String path, String query, byte @Nullable [] body, Duration timeout) {
		return new ConsulRequest("PUT", path, query, body, timeout);
	}

	boolean isRead() {
		return "GET".equals(this.method);
	}

	/**
	 * Encodes each segment of a path, so that a key means to the server what it means to
	 * the caller.
	 */
	static String encodePath(String path) {
		return encode(path, true);
	}

	static String encodeQuery(String value) {
		return encode(value, false);
	}

	private static String encode(String text, boolean keepSlashes) {
		StringBuilder encoded = new StringBuilder(text.length() + 16);
		for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
			char ch = (char) (octet & 0xff);
			if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9')
					|| "-._~".indexOf(ch) >= 0 || (keepSlashes && ch == '/')) {
				encoded.append(ch);
			}
			else {
				encoded.append('%')
					.append(Character.toUpperCase(Character.forDigit(ch >> 4, 16)))
					.append(Character.toUpperCase(Character.forDigit(ch & 0xf, 16)));
			}
		}
		return encoded.toString();
	}

}
