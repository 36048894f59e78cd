package io.github.consullock.consul;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.PatientClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * TLS, and the ways to get it wrong.
 */
@Timeout(120)
class HttpConsulClientTlsTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private static ConsulServer consul;

	@BeforeAll
	static void start() {
		consul = ConsulServer.builder().tls().start();
	}

	@AfterAll
	static void stop() {
		consul.close();
	}

	@Test
	void trustedServerIsUsed() throws Exception {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpsUri())
			.sslContext(TestTls.trusting(consul.caCertificate()))
			.build()) {
			String session = client.createSession(new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
					SessionBehavior.RELEASE, List.of(), List.of()));
			client.transact(List.of(KvOperation.lock("k", session, "v", 1)), SECONDS);
			long index = client.watch("k", 0, SECONDS).index();
			assertThat(PatientClient.answered(() -> client.watch("k", index, Duration.ofMillis(100))).index())
				.isEqualTo(index);
			assertThat(PatientClient.answered(() -> client.renewSession(session)))
				.isInstanceOf(RenewalOutcome.Renewed.class);
			PatientClient.done(() -> client.destroySession(session));
			assertThat(client.read("k", SECONDS).orElseThrow().session()).isNull();
		}
	}

	@Test
	void addressWithHttpTakesNothingOfTls() {
		assertThat(HttpConsulClient.builder(consul.httpUri()).tls()).isNull();
		assertThat(HttpConsulClient.builder(consul.httpsUri()).tls()).isNotNull();
	}

	@Test
	void untrustedServerIsRefusedNamingTheSettings() {
		try (ConsulClient client = HttpConsulClient.builder(consul.httpsUri()).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("TLS handshake")
				.withMessageContaining("consul.lock.connection.ssl-bundle");
		}
	}

	@Test
	void serverWithAnotherNameIsRefused() throws Exception {
		// An address of the loopback network that the certificate does not name.
		try (RelayServer relay = RelayServer.start("127.0.0.2", consul.httpsUri());
				ConsulClient client = HttpConsulClient.builder(URI.create("https://127.0.0.2:" + relay.port()))
					.sslContext(TestTls.trusting(consul.caCertificate()))
					.build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("127.0.0.2")
				.withMessageContaining("the host name against the server's certificate");
		}
	}

	@Test
	void plainHttpToTheTlsPortNamesTheScheme() {
		URI base = URI.create("http://127.0.0.1:" + consul.httpsUri().getPort());
		try (ConsulClient client = HttpConsulClient.builder(base).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("HTTPS server")
				.withMessageContaining("spring.cloud.consul.scheme");
		}
	}

	@Test
	void tlsToThePlainPortNamesTheScheme() {
		URI base = URI.create("https://127.0.0.1:" + consul.port());
		try (ConsulClient client = HttpConsulClient.builder(base).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("does not speak TLS")
				.withMessageContaining("spring.cloud.consul.scheme");
		}
	}

	@Test
	void connectionThatBreaksAfterTheRequestWasSentIsUnavailable() throws Exception {
		try (RelayServer relay = RelayServer.start("127.0.0.1", consul.httpsUri());
				ConsulClient client = HttpConsulClient.builder(URI.create("https://127.0.0.1:" + relay.port()))
					.sslContext(TestTls.trusting(consul.caCertificate()))
					.build()) {
			assertThat(client.read("k2", SECONDS)).isEmpty();
			relay.corruptNextAnswer();
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.delete("k2")), SECONDS));
			assertThat(client.read("k2", SECONDS)).isEmpty();
		}
	}

	@Test
	void timeoutOfACallIncludesTheHandshake() throws IOException {
		Duration readTimeout = Duration.ofMinutes(1);
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				ConsulClient client = HttpConsulClient.builder(URI.create("https://127.0.0.1:" + server.getLocalPort()))
					.readTimeout(readTimeout)
					.build()) {
			long start = System.nanoTime();
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> client.read("k", Duration.ofMillis(200)));
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(readTimeout);
		}
	}

	@Test
	void handshakeThatTheServerBreaksOffOrNeverAnswersIsUnavailable() throws IOException {
		try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
				ConsulClient client = HttpConsulClient.builder(URI.create("https://127.0.0.1:" + server.getLocalPort()))
					.readTimeout(Duration.ofSeconds(2))
					.build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
				.withMessageContaining("no connection in time");
			Thread closer = new Thread(() -> {
				try {
					while (true) {
						server.accept().close();
					}
				}
				catch (IOException ex) {
					// Closed.
				}
			});
			closer.start();
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS));
		}
	}

}
