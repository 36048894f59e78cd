package io.github.consullock.testserver;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * The few calls that starting a server takes.
 */
final class ConsulApi {

	static final int OK = 200;

	/** Above the 7 seconds for which a server without a leader keeps a request. */
	private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(15);

	private final HttpClient client = HttpClient.newBuilder()
		.version(HttpClient.Version.HTTP_1_1)
		.connectTimeout(Duration.ofSeconds(5))
		.build();

	Answer get(URI base, String path, @Nullable String token) throws IOException {
		return send(request(base, path, token).GET().build());
	}

	/**
	 * Sends a body of fixed length: Consul ignores one of unknown length in places.
	 * @param base the agent's address
	 * @param path path and query
	 * @param body the body
	 * @param token the ACL token, if any
	 * @return the answer, whatever its status
	 * @throws IOException if there is none
	 */
	Answer put(URI base, String path, String body, @Nullable String token) throws IOException {
		return send(request(base, path, token).PUT(HttpRequest.BodyPublishers.ofString(body)).build());
	}

	private static HttpRequest.Builder request(URI base, String path, @Nullable String token) {
		HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).timeout(REQUEST_TIMEOUT);
		return (token != null) ? request.header("X-Consul-Token", token) : request;
	}

	private Answer send(HttpRequest request) throws IOException {
		try {
			HttpResponse<String> response = this.client.send(request, HttpResponse.BodyHandlers.ofString());
			return new Answer(response.statusCode(), response.body());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new InterruptedIOException("Interrupted while waiting for Consul");
		}
	}

	/**
	 * An answer of Consul.
	 *
	 * @param status the HTTP status
	 * @param body the body
	 */
	record Answer(int status, String body) {

		boolean isOk() {
			return this.status == OK;
		}

		@Override
		public String toString() {
			return "%d '%s'".formatted(this.status, this.body.strip());
		}

	}

}
