package io.github.consullock.consul;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.PatientClient;
import io.github.consullock.PauseMeter;
import io.github.consullock.SessionBehavior;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

/**
 * What a caller is told when Consul is not there, is ill, or is no Consul.
 */
@ConsulTest
@Timeout(120)
class HttpConsulClientFailureTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private static final Duration LONG = Duration.ofMinutes(1);

	private static final SessionRequest SESSION = new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
			SessionBehavior.RELEASE, List.of(), List.of());

	@Test
	void closedPortIsUnavailableAndNamesAddressAndProperties() throws IOException {
		// Bound, so that nobody else gets it, but nobody listens.
		try (Socket socket = new Socket()) {
			socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
			URI base = URI.create("http://127.0.0.1:" + socket.getLocalPort());
			try (ConsulClient client = HttpConsulClient.builder(base).build()) {
				assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
					.withMessageContaining("GET /v1/kv/k at " + base)
					.withMessageContaining("refused")
					.withMessageContaining("spring.cloud.consul.host")
					.withMessageContaining("consul.lock.connection.url");
			}
		}
	}

	@Test
	void unknownHostIsUnavailable() {
		try (ConsulClient client = HttpConsulClient.builder(URI.create("http://no-such-host.invalid:8500")).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("host name is unknown")
				.withMessageContaining("no-such-host.invalid")
				.withMessageContaining("spring.cloud.consul.host");
		}
	}

	@Test
	void serverWithoutAnswerIsUnavailableAfterTheTimeoutOfTheCall() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("k", Duration.ofMillis(1000)))
				.withMessageContaining("no answer within 1000 ms");
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.delete("k")), Duration.ofMillis(1100)))
				.withMessageContaining("no answer within 1100 ms");
			await().untilAsserted(() -> assertThat(server.requests()).hasSize(2));
		}
	}

	@Test
	void timeoutOfACallIncludesTheConnect() throws Exception {
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				ConsulClient client = HttpConsulClient.builder(URI.create("http://127.0.0.1:" + server.getLocalPort()))
					.connectTimeout(LONG)
					.build()) {
			List<Socket> fillers = fillQueueOf(server);
			long start = System.nanoTime();
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("k", Duration.ofSeconds(2)))
				.withMessageContaining("no connection in time");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LONG);
			for (Socket filler : fillers) {
				filler.close();
			}
		}
	}

	/** From then on the system drops the packets of those who want to connect. */
	private static List<Socket> fillQueueOf(ServerSocket server) throws IOException {
		List<Socket> fillers = new ArrayList<>();
		try {
			while (fillers.size() < 20) {
				Socket filler = new Socket();
				fillers.add(filler);
				filler.connect(server.getLocalSocketAddress(), 2000);
			}
		}
		catch (SocketTimeoutException ex) {
			return fillers;
		}
		return abort("This system accepts any number of connections");
	}

	@Test
	void timeoutOfACallIncludesTheWaitForAConnection() throws Exception {
		Duration first = Duration.ofSeconds(4);
		Duration second = Duration.ofSeconds(12);
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri())
					.readTimeout(LONG)
					.maxConnections(1)
					.build()) {
			Thread other = new Thread(() -> assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("a", first)));
			other.start();
			await().until(() -> server.requests().size() == 1);
			try (PauseMeter meter = new PauseMeter()) {
				long start = System.nanoTime();
				assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("b", second));
				assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(second)
					.isLessThan(second.plus(first.dividedBy(4).multipliedBy(3)).plus(meter.paused()));
			}
			assertThat(server.requests()).hasSize(2);
			other.join();
		}
	}

	@Test
	void timeoutOfTheClientBoundsThatOfTheCall() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri())
					.readTimeout(Duration.ofMillis(70))
					.build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("k", Duration.ofHours(1)))
				.withMessageContaining("no answer within 70 ms");
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.createSession(SESSION))
				.withMessageContaining("no answer within 70 ms");
		}
	}

	@Test
	void frozenServerIsUnavailable() {
		try (ConsulServer consul = ConsulServer.start();
				ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			String session = client.createSession(SESSION);
			PatientClient.answered(() -> client.renewSession(session));
			consul.pause();
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.renewSession(session))
				.withMessageContaining("no answer within 2000 ms");
			consul.resume();
			assertThat(PatientClient.answered(() -> client.renewSession(session)))
				.isInstanceOf(RenewalOutcome.Renewed.class);
		}
	}

	@Test
	void drippingAnswerIsBounded() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
			while (!exchange.closed().await(5, TimeUnit.MILLISECONDS)) {
				exchange.write("x");
			}
		}); ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("k", Duration.ofMillis(200)))
				.withMessageContaining("no answer within 200 ms");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable",
			"429 Too Many Requests", "408 Request Timeout" })
	void serverErrorsAndRateLimitsAreUnavailable(String status) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer(status, "No cluster leader"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			String session = UUID.randomUUID().toString();
			List.<Runnable>of(() -> client.createSession(SESSION), () -> client.renewSession(session),
					() -> client.destroySession(session), () -> client.watchSession(session, 1, SECONDS),
					() -> client.read("k", SECONDS), () -> client.list("k"), () -> client.watch("k", 1, SECONDS),
					() -> client.transact(List.of(KvOperation.delete("k")), SECONDS))
				.forEach((call) -> assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(call::run)
					.withMessageContaining(status.substring(0, 3))
					.withMessageContaining("No cluster leader"));
		}
	}

	@Test
	void errorsOfSomeOtherServerNameTheAddress() throws IOException {
		String page = "<!DOCTYPE HTML><html><head><title>Error response</title></head></html>";
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> exchange
			.write(FakeHttpServer.answer((number == 1) ? "501 Unsupported method" : "502 Bad Gateway", page)));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.createSession(SESSION))
				.withMessageContaining("501")
				.withMessageContaining("spring.cloud.consul.host")
				.withMessageNotContaining("DOCTYPE");
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.createSession(SESSION))
				.withMessageContaining("502")
				.withMessageContaining("spring.cloud.consul.host")
				.withMessageNotContaining("DOCTYPE");
		}
	}

	@Test
	void answersOfSomeOtherServerAreRefused() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", "<html>Hello</html>"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatNoCallIsTakenForConsul(client, "(a page of HTML)");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "null", "{}", "[[]]", "[{}]", "[{\"Key\": 1}]", "7" })
	void jsonOfAnotherFormIsRefused(String body) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("200 OK", body));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("not what Consul answers");
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.createSession(SESSION));
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.checkNotExists("k")), SECONDS));
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.delete("k")), SECONDS))
				.withMessageContaining("not what Consul answers");
		}
	}

	@Test
	void pageThatQuotesThePathIsNoEndOfTheSession() throws IOException {
		String session = UUID.randomUUID().toString();
		String page = "Nothing is served at /v1/session/renew/" + session;
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("404 Not Found", page));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.renewSession(session))
				.withMessageContaining("spring.cloud.consul.path");
		}
	}

	@Test
	void pathThatConsulDoesNotHaveIsNoEndOfSessionAndNoAbsentKey() throws IOException {
		String notFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n404 page not found";
		try (FakeHttpServer server = FakeHttpServer.answering(notFound);
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatNoCallIsTakenForConsul(client, "spring.cloud.consul.path");
		}
	}

	private static void assertThatNoCallIsTakenForConsul(ConsulClient client, String text) {
		String session = UUID.randomUUID().toString();
		List.<Runnable>of(() -> client.createSession(SESSION), () -> client.renewSession(session),
				() -> client.destroySession(session), () -> client.watchSession(session, 1, SECONDS),
				() -> client.read("k", SECONDS), () -> client.list("k"), () -> client.watch("k", 1, SECONDS),
				() -> client.transact(List.of(KvOperation.checkNotExists("k")), SECONDS))
			.forEach((call) -> assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(call::run)
				.withMessageContaining(text)
				.withMessageContaining("consul.lock.connection.url"));
	}

	@Test
	void redirectIsNotFollowedButExplained(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("a//b", SECONDS))
				.withMessageContaining("GET /v1/kv/a//b")
				.withMessageContaining("301")
				.withMessageContaining("a key must neither begin with /");
		}
	}

	@Test
	void wrongBasePathIsRefused(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri().resolve("/elsewhere/")).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("404")
				.withMessageContaining("spring.cloud.consul.path");
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.renewSession("s"));
		}
	}

	@Test
	void unknownDatacenterIsNamed(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).datacenter("mars").build()) {
			Stream
				.<ThrowingCallable>of(() -> client.read("k", SECONDS), () -> client.createSession(SESSION),
						() -> PatientClient.answered(() -> client.renewSession("s")),
						() -> PatientClient.answered(() -> client.sessionInfo("s", SECONDS)),
						() -> client.transact(List.of(KvOperation.delete("k")), SECONDS))
				.forEach((call) -> assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(call)
					.withMessageContaining("No path to datacenter")
					.withMessageContaining("consul.lock.connection.datacenter"));
		}
	}

	@Test
	void namespaceIsSentAndRefusedByAConsulThatHasNone(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).namespace("team a").build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("400")
				.withMessageContaining("ns")
				.withMessageContaining("namespace");
		}
	}

	@Test
	void tooManyOperationsTellHowManyTheServerTakes() throws IOException {
		assertThat(tooLarge("Transaction contains too many operations (130 > 128)").maxOperations()).isEqualTo(128);
		assertThat(tooLarge("Transaction contains too many operations").maxOperations()).isZero();
		assertThat(tooLarge("Transaction contains too many operations (1 > 99999999999)").maxOperations()).isZero();
	}

	private static TransactionTooLargeException tooLarge(String body) throws IOException {
		try (FakeHttpServer server = FakeHttpServer
			.answering(FakeHttpServer.answer("413 Request Entity Too Large", body));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			TransactionTooLargeException ex = catchThrowableOfType(TransactionTooLargeException.class,
					() -> client.transact(List.of(KvOperation.delete("k")), SECONDS));
			assertThat(ex).hasMessageContaining(body);
			return ex;
		}
	}

	@Test
	void valueThatIsTooLargeIsNoMatterOfTheNumberOfOperations(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.set("k", "v".repeat(600_000), 0)), SECONDS))
				.isNotInstanceOf(TransactionTooLargeException.class)
				.withMessageContaining("413")
				.withMessageContaining("The value is too large");
		}
	}

	@Test
	void unknownWordsInTransactionAreRefusedAndQuoted() throws IOException {
		String body = "{\"Results\": null, \"Errors\": [{\"OpIndex\": 0, \"What\": \"the moon is full\"}]}";
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer("409 Conflict", body));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.delete("k")), SECONDS))
				.withMessageContaining("the moon is full");
		}
	}

	@Test
	void idThatIsNoneOfASessionIsRefused(ConsulServer consul) {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> PatientClient.answered(() -> client.sessionInfo("not-a-uuid", SECONDS)))
				.withMessageContaining("not-a-uuid")
				.withMessageContaining("is a UUID");
		}
	}

	@Test
	void criticalCheckIsTransient() throws IOException {
		try (FakeHttpServer server = FakeHttpServer
			.answering(FakeHttpServer.answer("500 Internal Server Error", "Check 'service:x' is in critical state"));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.createSession(SESSION))
				.withMessageContaining("critical state");
		}
	}

	@ParameterizedTest
	@ValueSource(
			strings = { "SSH-2.0-OpenSSH_9.2\r\n", "\u0015\u0003\u0001\u0000\u0002\u0002P", "HTTP/1.1 2x0 OK\r\n\r\n" })
	void whatIsNoHttpIsUnavailable(String garbage) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			exchange.write(garbage);
			exchange.socket().close();
		}); ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("consul.lock.connection.url");
		}
	}

	@Test
	void answerThatBreaksOffIsUnavailable() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{");
			exchange.socket().close();
		}); ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("closed the connection before its answer was complete");
		}
	}

	@Test
	void readIsRepeatedOnceWhenTheServerHadClosedTheIdleConnection() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			if (number == 2) {
				exchange.reset();
			}
			else {
				exchange.write(FakeHttpServer.answer("200 OK", "[]"));
			}
		}); ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThat(client.read("k", SECONDS)).isEmpty();
			assertThat(client.read("k", SECONDS)).isEmpty();
			assertThat(server.requests()).hasSize(3);
			assertThat(server.connections()).isEqualTo(2);
		}
	}

	@Test
	void readOnNewConnectionIsNotRepeated() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> exchange.reset());
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS));
			assertThat(server.requests()).hasSize(1);
		}
	}

	@Test
	void writeIsNeverRepeated() throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			if (number == 2) {
				exchange.reset();
			}
			else {
				exchange.write(FakeHttpServer.answer("200 OK", "{\"Results\": []}"));
			}
		}); ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			client.transact(List.of(KvOperation.delete("k")), SECONDS);
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.delete("k")), SECONDS));
			assertThat(server.requests()).hasSize(2);
		}
	}

}
