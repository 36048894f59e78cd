package io.github.consullock.testserver;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;

/**
 * Asks a server, for tests: what it answered, or the status where that is not 200.
 */
final class Agent {

	private final ConsulApi api = new ConsulApi();

	String get(URI base, String path, String token) {
		try {
			return text(this.api.get(base, path, token.isEmpty() ? null : token));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	String put(URI base, String path, String body, String token) {
		try {
			return text(this.api.put(base, path, body, token.isEmpty() ? null : token));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static String text(ConsulApi.Answer answer) {
		return answer.isOk() ? answer.body() : answer.toString();
	}

}
