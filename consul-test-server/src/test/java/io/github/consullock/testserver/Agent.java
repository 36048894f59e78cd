package io.github.consullock.testserver;

import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.Callable;

import static org.awaitility.Awaitility.await;

/**
 * Asks a server, for tests: what it answered, or the status where that is not 200. Asks
 * again while the server has no leader, which a pause of the machine is enough for.
 */
final class Agent {

	private static final int SERVER_ERROR = 500;

	private final ConsulApi api = new ConsulApi();

	String get(URI base, String path, String token) {
		return text(() -> this.api.get(base, path, token.isEmpty() ? null : token));
	}

	String put(URI base, String path, String body, String token) {
		return text(() -> this.api.put(base, path, body, token.isEmpty() ? null : token));
	}

	private static String text(Callable<ConsulApi.Answer> request) {
		ConsulApi.Answer answer = await().atMost(Duration.ofMinutes(1))
			.ignoreExceptionsInstanceOf(HttpTimeoutException.class)
			.pollDelay(Duration.ZERO)
			.until(request, (each) -> each.status() < SERVER_ERROR);
		return answer.isOk() ? answer.body() : answer.toString();
	}

}
