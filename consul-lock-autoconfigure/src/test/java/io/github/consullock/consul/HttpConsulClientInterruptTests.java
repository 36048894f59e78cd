package io.github.consullock.consul;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.PatientClient;
import io.github.consullock.testserver.ConsulServer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * An interrupt ends a call wherever it is, and its connection with it.
 */
@Timeout(120)
class HttpConsulClientInterruptTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	/**
	 * Far longer than a test waits for the end of an interrupted call.
	 */
	private static final Duration LONG = Duration.ofMinutes(2);

	static List<TestThreads.Kind> kinds() {
		return TestThreads.kinds();
	}

	@AfterEach
	void clearFlag() {
		Thread.interrupted();
	}

	@ParameterizedTest
	@MethodSource("kinds")
	void interruptEndsRequestThatWaitsForItsAnswer(TestThreads.Kind kind) throws Exception {
		try (FakeHttpServer server = FakeHttpServer.silent();
				HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			Call call = new Call(kind, () -> client.transact(List.of(KvOperation.delete("k")), LONG));
			Awaitility.await().until(() -> server.requests().size() == 1);
			call.interrupt();
			call.assertInterrupted("PUT /v1/txn");
			assertThat(client.leasedConnections()).isZero();
		}
	}

	@ParameterizedTest
	@MethodSource("kinds")
	void interruptEndsRequestInTheMiddleOfItsAnswer(TestThreads.Kind kind) throws Exception {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[");
			exchange.awaitClose();
		}); HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			Call call = new Call(kind, () -> client.read("k", LONG));
			Awaitility.await().until(() -> server.requests().size() == 1);
			TestThreads.awaitBlocked(call.thread);
			call.interrupt();
			call.assertInterrupted("GET /v1/kv/k");
			assertThat(client.leasedConnections()).isZero();
		}
	}

	@ParameterizedTest
	@MethodSource("kinds")
	void interruptEndsWaitForAConnection(TestThreads.Kind kind) throws Exception {
		try (FakeHttpServer server = FakeHttpServer.silent();
				HttpConsulClient client = HttpConsulClient.builder(server.uri())
					.maxConnections(1)
					.readTimeout(LONG)
					.build()) {
			Call first = new Call(kind, () -> client.read("k", LONG));
			Awaitility.await().until(() -> server.requests().size() == 1);
			Call second = new Call(kind, () -> client.read("l", LONG));
			TestThreads.awaitBlocked(second.thread);
			second.interrupt();
			second.assertInterrupted("GET /v1/kv/l");
			assertThat(client.leasedConnections()).isEqualTo(1);
			first.interrupt();
			first.assertInterrupted("GET /v1/kv/k");
			assertThat(client.leasedConnections()).isZero();
			assertThat(server.requests()).hasSize(1);
		}
	}

	@ParameterizedTest
	@MethodSource("kinds")
	void interruptEndsConnecting(TestThreads.Kind kind) throws Exception {
		List<Socket> queued = new ArrayList<>();
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			// Nobody accepts; once its queue is full, the next one hangs.
			for (int i = 0; i < 3; i++) {
				Socket socket = new Socket();
				queued.add(socket);
				try {
					socket.connect(server.getLocalSocketAddress(), 200);
				}
				catch (IOException ex) {
					break;
				}
			}
			try (HttpConsulClient client = HttpConsulClient
				.builder(URI.create("http://127.0.0.1:" + server.getLocalPort()))
				.connectTimeout(LONG)
				.readTimeout(LONG)
				.build()) {
				Call call = new Call(kind, () -> client.read("k", LONG));
				TestThreads.awaitBlocked(call.thread);
				call.interrupt();
				call.assertInterrupted("GET /v1/kv/k");
				assertThat(client.leasedConnections()).isZero();
			}
		}
		finally {
			for (Socket socket : queued) {
				socket.close();
			}
		}
	}

	@Test
	void flagThatIsSetAlreadyFailsTheCallBeforeAnythingIsSent() throws Exception {
		try (FakeHttpServer server = FakeHttpServer.silent();
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			Thread.currentThread().interrupt();
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("interrupted");
			assertThat(Thread.currentThread().isInterrupted()).isTrue();
			assertThat(server.connections()).isZero();
		}
	}

	@Test
	void waitForAConnectionIsBounded() throws Exception {
		try (FakeHttpServer server = FakeHttpServer.silent();
				HttpConsulClient client = HttpConsulClient.builder(server.uri())
					.maxConnections(2)
					.readTimeout(LONG)
					.build()) {
			Call first = new Call(kinds().get(0), () -> client.read("k", LONG));
			Call second = new Call(kinds().get(0), () -> client.read("k", LONG));
			Awaitility.await().until(() -> server.requests().size() == 2);
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("l", Duration.ofSeconds(1)))
				.withMessageContaining("all connections were in use");
			assertThat(server.connections()).isEqualTo(2);
			first.interrupt();
			second.interrupt();
		}
	}

	@Test
	void renewalsHaveConnectionsOfTheirOwn() throws Exception {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			if (number > 2) {
				exchange.write(FakeHttpServer.answer("200 OK", "[{\"TTL\": \"10s\", \"LockDelay\": 0}]"));
			}
			else {
				exchange.awaitClose();
			}
		});
				HttpConsulClient client = HttpConsulClient.builder(server.uri())
					.maxConnections(1)
					.maxWatches(1)
					.readTimeout(LONG)
					.build()) {
			Call read = new Call(kinds().get(0), () -> client.read("k", LONG));
			Call watch = new Call(kinds().get(0), () -> client.watch("k", 1, LONG));
			Awaitility.await().until(() -> server.requests().size() == 2);
			assertThat(PatientClient.answered(() -> client.renewSession("s")))
				.isEqualTo(new RenewalOutcome.Renewed(Duration.ofSeconds(10), Duration.ZERO));
			read.interrupt();
			watch.interrupt();
		}
	}

	@ParameterizedTest
	@MethodSource("kinds")
	void interruptEndsWatchOverTls(TestThreads.Kind kind) throws Exception {
		try (ConsulServer consul = ConsulServer.builder().tls().start();
				HttpConsulClient client = HttpConsulClient.builder(consul.httpsUri())
					.sslContext(TestTls.trusting(consul.caCertificate()))
					.build()) {
			long index = client.watch("k", 0, SECONDS).index();
			Call call = new Call(kind, () -> client.watch("k", index, LONG));
			TestThreads.awaitBlocked(call.thread);
			call.interrupt();
			call.assertInterrupted("GET /v1/kv/k");
			assertThat(client.leasedConnections()).isZero();
			assertThat(client.read("k", SECONDS)).isEmpty();
		}
	}

	/**
	 * A call on a thread of its own.
	 */
	private static final class Call {

		private final CompletableFuture<Throwable> failure = new CompletableFuture<>();

		private final CompletableFuture<Boolean> flag = new CompletableFuture<>();

		private final Thread thread;

		Call(TestThreads.Kind kind, Runnable call) {
			this.thread = kind.start(() -> {
				try {
					call.run();
					this.failure.completeExceptionally(new AssertionError("The call succeeded"));
				}
				catch (RuntimeException ex) {
					this.flag.complete(Thread.currentThread().isInterrupted());
					this.failure.complete(ex);
				}
			});
		}

		void interrupt() {
			this.thread.interrupt();
		}

		void assertInterrupted(String what) throws Exception {
			assertThat(this.failure.get(LONG.dividedBy(2).toSeconds(), TimeUnit.SECONDS))
				.isInstanceOf(ConsulUnavailableException.class)
				.hasMessageContaining(what)
				.hasMessageContaining("interrupted");
			assertThat(this.flag.get()).isTrue();
		}

	}

}
