package io.github.consullock.lock;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.consullock.LockHandle;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An HTTP API that refuses what former holders of a lock send it.
 */
@ConsulTest
@Timeout(120)
class FencedHttpTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private final HttpClient http = HttpClient.newHttpClient();

	private final ConcurrentMap<String, Report> reports = new ConcurrentHashMap<>();

	private HttpServer server;

	private Instances instances;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) throws IOException {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		this.server.createContext("/", this::put);
		this.server.start();
	}

	@AfterEach
	void stop() {
		this.server.stop(0);
		this.instances.close();
	}

	@Test
	void theLateRequestOfAFormerHolderIsRefused() throws Exception {
		LockHandle former = this.instances.start().obtain("reports/daily").acquire();
		assertThat(send(former, "first").statusCode()).isEqualTo(204);
		assertThat(send(former, "second").statusCode()).isEqualTo(204);
		this.instances.destroySessionOf("reports/daily");
		try (LockHandle holder = this.instances.start().obtain("reports/daily").acquire(AMPLE)) {
			assertThat(send(holder, "third").statusCode()).isEqualTo(204);
			assertThat(send(former, "late").statusCode()).isEqualTo(409);
			assertThat(this.reports).containsEntry("/reports/daily", new Report(holder.fencingToken(), "third"));
			assertThat(send(holder, "fourth").statusCode()).isEqualTo(204);
		}
	}

	private HttpResponse<String> send(LockHandle handle, String body) throws IOException, InterruptedException {
		URI uri = URI.create("http://127.0.0.1:" + this.server.getAddress().getPort() + "/reports/daily");
		// tag::send[]
		HttpRequest request = HttpRequest.newBuilder(uri)
			.header("Fencing-Token", Long.toString(handle.fencingToken()))
			.PUT(BodyPublishers.ofString(body))
			.build();
		// end::send[]
		return this.http.send(request, BodyHandlers.ofString());
	}

	// tag::refuse[]
	/**
	 * Takes a report, unless one of a later holder is there already: that is not
	 * replaced.
	 */
	void put(HttpExchange exchange) throws IOException {
		long token = Long.parseLong(exchange.getRequestHeaders().getFirst("Fencing-Token"));
		String text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		Report kept = this.reports.merge(exchange.getRequestURI().getPath(), new Report(token, text),
				(present, sent) -> (sent.token() < present.token()) ? present : sent);
		exchange.sendResponseHeaders((kept.token() == token) ? 204 : 409, -1);
		exchange.close();
	}

	record Report(long token, String text) {
	}
	// end::refuse[]

}
