package io.github.consullock.consul;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.consullock.ConsulRefusedException;
import io.github.consullock.SessionBehavior;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.abort;

/**
 * What goes over the wire.
 */
class HttpConsulClientRequestTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	@Test
	void bodyHasFixedLengthAndNodeChecksAreSentThoughEmpty() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", "{\"ID\": \"abc\"}"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThat(client.createSession(new SessionRequest("app", Duration.ofSeconds(25), Duration.ZERO,
					SessionBehavior.DELETE, List.of(), List.of("service:a"))))
				.isEqualTo("abc");
			String request = server.requests().get(0);
			assertThat(request).startsWith("PUT /v1/session/create HTTP/1.1\n")
				.contains("Content-Length: ")
				.doesNotContain("Transfer-Encoding")
				.endsWith(
						"{\"Name\":\"app\",\"TTL\":\"25s\",\"LockDelay\":\"0s\",\"Behavior\":\"delete\",\"NodeChecks\":[],"
								+ "\"ServiceChecks\":[{\"ID\":\"service:a\"}]}");
		}
	}

	@Test
	void emptyBodyHasLengthToo() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", "true"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			client.destroySession("a/b");
			assertThat(server.requests().get(0)).startsWith("PUT /v1/session/destroy/a%2Fb HTTP/1.1\n")
				.contains("Content-Length: 0\n");
		}
	}

	@Test
	void settingsOfTheConnectionAreInEveryQueryAndTheTokenInItsHeaderAlone() throws IOException {
		Queue<String> tokens = new ArrayDeque<>(List.of("first", " second\n", " "));
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", "[]"));
				ConsulClient client = HttpConsulClient.builder(server.uri().resolve("/proxy/consul/"))
					.token(tokens::remove)
					.datacenter("dc1")
					.namespace("team a")
					.partition("p&q")
					.build()) {
			client.read("k", SECONDS);
			client.watch("k", 5, Duration.ofMillis(1500));
			client.watch("k", 0, SECONDS);
			assertThat(server.requests().get(0))
				.startsWith("GET /proxy/consul/v1/kv/k?consistent&dc=dc1&ns=team%20a&partition=p%26q HTTP/1.1\n")
				.contains("X-Consul-Token: first\n");
			assertThat(server.requests().get(1))
				.startsWith(
						"GET /proxy/consul/v1/kv/k?index=5&wait=1500ms&dc=dc1&ns=team%20a&partition=p%26q HTTP/1.1\n")
				.contains("X-Consul-Token: second\n");
			assertThat(server.requests().get(2))
				.startsWith("GET /proxy/consul/v1/kv/k?dc=dc1&ns=team%20a&partition=p%26q HTTP/1.1\n")
				.doesNotContain("X-Consul-Token");
			assertThat(server.requests()).allSatisfy((request) -> assertThat(request).doesNotContain("Upgrade")
				.doesNotContain("Accept-Encoding")
				.doesNotContain("Cookie"));
			assertThat(server.connections()).isEqualTo(2);
		}
	}

	@Test
	void scopeReplacesWhatItNamesInQueriesAndOperations() throws IOException {
		String body = "{\"Results\": null}";
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", body));
				ConsulClient client = HttpConsulClient.builder(server.uri()).datacenter("dc1").namespace("a").build()) {
			List<KvOperation> operations = List.of(KvOperation.delete("k"));
			client.at(new ConsulScope("d c", null, "p&q")).transact(operations, SECONDS);
			client.at(new ConsulScope(null, "b", " ")).transact(operations, SECONDS);
			client.at(new ConsulScope(null, null, "p"))
				.at(new ConsulScope("dc2", null, null))
				.transact(operations, SECONDS);
			client.at(ConsulScope.DEFAULT).transact(operations, SECONDS);
			client.transact(operations, SECONDS);
			assertThat(server.requests().get(0)).startsWith("PUT /v1/txn?dc=d%20c&ns=a&partition=p%26q HTTP/1.1\n")
				.endsWith("[{\"KV\":{\"Verb\":\"delete\",\"Key\":\"k\",\"Namespace\":\"a\",\"Partition\":\"p&q\"}}]");
			assertThat(server.requests().get(1)).startsWith("PUT /v1/txn?dc=dc1&ns=b HTTP/1.1\n")
				.endsWith("[{\"KV\":{\"Verb\":\"delete\",\"Key\":\"k\",\"Namespace\":\"b\"}}]");
			assertThat(server.requests().get(2)).startsWith("PUT /v1/txn?dc=dc2&ns=a&partition=p HTTP/1.1\n");
			assertThat(server.requests().subList(3, 5))
				.allSatisfy((request) -> assertThat(request).startsWith("PUT /v1/txn?dc=dc1&ns=a HTTP/1.1\n")
					.endsWith("[{\"KV\":{\"Verb\":\"delete\",\"Key\":\"k\",\"Namespace\":\"a\"}}]"));
			assertThat(server.connections()).isEqualTo(1);
		}
	}

	@Test
	void scopeIsInTheQueryOfEveryKindOfRequest() throws IOException {
		String session = "[{\"ID\": \"s\"}]";
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", session));
				ConsulClient client = HttpConsulClient.builder(server.uri()).token(() -> "secret").build()) {
			ConsulClient scoped = client.at(new ConsulScope("dc2", "b", "p"));
			scoped.renewSession("s");
			assertThat(scoped.sessionInfo("s", SECONDS))
				.hasValue(new SessionInfo("s", "", Duration.ZERO, Duration.ZERO, SessionBehavior.RELEASE));
			scoped.watchSession("s", 3, Duration.ofSeconds(1));
			assertThat(server.requests().get(0)).startsWith("PUT /v1/session/renew/s?dc=dc2&ns=b&partition=p HTTP/1.1");
			assertThat(server.requests().get(1))
				.startsWith("GET /v1/session/info/s?consistent&dc=dc2&ns=b&partition=p HTTP/1.1");
			assertThat(server.requests().get(2))
				.startsWith("GET /v1/session/info/s?index=3&wait=1s&dc=dc2&ns=b&partition=p HTTP/1.1");
			assertThat(server.requests())
				.allSatisfy((request) -> assertThat(request).contains("X-Consul-Token: secret\n"));
			// Renewal and reading share a connection, the watch has another.
			assertThat(server.connections()).isEqualTo(2);
		}
	}

	@Test
	void transactionNamesEachOperationsNeedsAndNothingElse() throws IOException {
		String answer = "{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 8, \"ModifyIndex\": 8}}]}";
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", answer));
				ConsulClient client = HttpConsulClient.builder(server.uri()).namespace("team").build()) {
			client.transact(List.of(KvOperation.checkIndex("k", 7),
					KvOperation.lock("k", "s", "v", Long.parseUnsignedLong("16210313421097356768"))), SECONDS);
			client.transact(List.of(KvOperation.checkNotExists("k")), SECONDS);
			assertThat(server.requests().get(0)).startsWith("PUT /v1/txn?ns=team HTTP/1.1\n")
				.endsWith("[{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"k\",\"Index\":7,\"Namespace\":\"team\"}},"
						+ "{\"KV\":{\"Verb\":\"lock\",\"Key\":\"k\",\"Value\":\"dg==\","
						+ "\"Flags\":16210313421097356768,\"Session\":\"s\",\"Namespace\":\"team\"}}]");
			assertThat(server.requests().get(1)).startsWith("PUT /v1/txn?consistent&ns=team HTTP/1.1\n");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "a\r\nX-Other: 1", "a b", "t\u00f6ken" })
	void tokenThatCannotBeOneIsRefusedAndNotQuoted(String token) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri()).token(() -> token).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("consul.lock.connection.token")
				.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain(token));
			assertThat(server.connections()).isZero();
		}
	}

	@Test
	void tokenIsInNoLogNotEvenAtTrace() throws IOException {
		String token = "6f0ad8c2-7a3c-4f1e-9d0b-2f4be8a2a0c1";
		Logger http = (Logger) LoggerFactory.getLogger("org.apache.hc");
		ListAppender<ILoggingEvent> log = new ListAppender<>();
		log.start();
		http.setLevel(Level.TRACE);
		http.setAdditive(false);
		http.addAppender(log);
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", "[]"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).token(() -> token).build()) {
			client.read("k", SECONDS);
			assertThat(server.requests().get(0)).contains(token);
		}
		finally {
			http.detachAppender(log);
			http.setAdditive(true);
			http.setLevel(null);
		}
		assertThat(log.list).isNotEmpty()
			.allSatisfy((event) -> assertThat(event.getFormattedMessage()).doesNotContain(token));
	}

	@Test
	void addressMayBeOfIpVersion6() throws IOException {
		try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
			URI base = URI.create("http://[::1]:" + probe.getLocalPort());
			try (ConsulClient client = HttpConsulClient.builder(base).build()) {
				CompletableFuture<String> host = CompletableFuture.supplyAsync(() -> {
					try (Socket socket = probe.accept()) {
						BufferedReader reader = new BufferedReader(
								new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
						String line = reader.readLine();
						while (line != null && !line.startsWith("Host:")) {
							line = reader.readLine();
						}
						socket.getOutputStream()
							.write(FakeHttpServer.answer("200 OK", "[]").getBytes(StandardCharsets.UTF_8));
						return String.valueOf(line);
					}
					catch (IOException ex) {
						throw new UncheckedIOException(ex);
					}
				});
				assertThat(client.read("k", SECONDS)).isEmpty();
				assertThat(host.join()).isEqualTo("Host: [::1]:" + probe.getLocalPort());
			}
		}
		catch (BindException ex) {
			abort("This machine has no IPv6: " + ex.getMessage());
		}
	}

	@Test
	void tokenThatCannotBeReadIsRefused() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri()).token(() -> {
					throw new IllegalStateException("no such file: /run/token");
				}).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("/run/token")
				.withMessageContaining("token-file");
		}
	}

	@Test
	void indexBelowOneBecomesOne() throws IOException {
		String answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Consul-Index: 0\r\n\r\n[]";
		try (FakeHttpServer server = FakeHttpServer.answering(answer);
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThat(client.watch("k", 0, SECONDS)).isEqualTo(new KvSnapshot(1, null));
			assertThat(client.watchSession("s", 0, SECONDS)).isEqualTo(new SessionSnapshot(1, false));
		}
	}

	@Test
	void chunkedAnswerIsRead() throws IOException {
		String answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n";
		try (FakeHttpServer server = FakeHttpServer.answering(answer);
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThat(client.read("k", SECONDS)).isEmpty();
			assertThat(client.read("k", SECONDS)).isEmpty();
			assertThat(server.connections()).isEqualTo(1);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "consul:8500", "ftp://consul:8500", "http:///path", "http://my_consul:8500",
			"http://consul:8500?token=x", "http://consul:8500#x", "/path" })
	void addressThatIsNoneIsRefused(String address) {
		assertThatIllegalArgumentException().isThrownBy(() -> HttpConsulClient.builder(URI.create(address)))
			.withMessageContaining(address)
			.withMessageContaining("http(s)://host:port");
	}

	@Test
	void passwordInAddressIsRefusedAndNotQuoted() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> HttpConsulClient.builder(URI.create("http://me:secret@consul:8500")))
			.withMessageContaining("token")
			.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("secret"));
	}

	@Test
	void settingsOutOfBoundsAreRefused() {
		HttpConsulClientBuilder builder = HttpConsulClient.builder(URI.create("http://consul:8500"));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.connectTimeout(Duration.ZERO))
			.withMessageContaining("connectTimeout")
			.withMessageContaining("PT0S");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.readTimeout(Duration.ofDays(100)))
			.withMessageContaining("readTimeout");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.maxConnections(0))
			.withMessageContaining("maxConnections");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.maxWatches(-1))
			.withMessageContaining("maxWatches");
	}

}
