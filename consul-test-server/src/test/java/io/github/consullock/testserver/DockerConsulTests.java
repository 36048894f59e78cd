package io.github.consullock.testserver;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DockerConsulTests {

	private final Agent agent = new Agent();

	private @Nullable ConsulSource docker;

	@BeforeAll
	void isThere() {
		try {
			this.docker = DockerConsul.find();
		}
		catch (SourceUnavailableException ex) {
			abort(String.valueOf(ex.getMessage()));
		}
	}

	private ConsulSource docker() {
		return Objects.requireNonNull(this.docker);
	}

	@Test
	void servesWithAclAndTlsAndIsFrozenAndThawed() throws IOException {
		try (ConsulServer server = ConsulServer.builder().acl().tls().datacenter("west").start(docker())) {
			assertThat(this.agent.put(server.httpUri(), "/v1/session/create", "{}", server.managementToken()))
				.contains("\"ID\"");
			assertThat(this.agent.get(server.httpUri(), "/v1/agent/self", server.managementToken()))
				.contains("\"west\"");
			assertThat(this.agent.put(server.httpUri(), "/v1/kv/a", "x", "")).startsWith("403");
			assertThat(server.httpsUri().getPort()).isNotEqualTo(server.port());
			assertThat(server.caCertificate()).exists();
			assertThat(server.processIds()).isEmpty();
			server.pause();
			try (Socket connection = new Socket(server.host(), server.port())) {
				connection.getOutputStream()
					.write("GET /v1/status/leader HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
				connection.setSoTimeout(500);
				assertThatExceptionOfType(SocketTimeoutException.class)
					.isThrownBy(() -> connection.getInputStream().read());
				server.resume();
				connection.setSoTimeout(20_000);
				assertThat(connection.getInputStream().read()).isEqualTo('H');
			}
			server.pause();
		}
	}

	@Test
	void formsClusterWhoseServersKeepTheirDataAndPorts() {
		try (ConsulServer server = ConsulServer.builder().clusterSize(3).start(docker())) {
			server.stopNode(0);
			assertThat(server.isRunning(0)).isFalse();
			await().atMost(Duration.ofMinutes(1))
				.untilAsserted(
						() -> assertThat(this.agent.put(server.httpUri(1), "/v1/kv/after", "x", "")).contains("true"));
			server.startNode(0);
			assertThat(this.agent.get(server.httpUri(0), "/v1/kv/after?raw", "")).isEqualTo("x");
		}
	}

	@Test
	void saysWhichImageCannotBeHadWithoutTryingForLong() {
		assertThatExceptionOfType(SourceUnavailableException.class)
			.isThrownBy(() -> DockerConsul.find("localhost:1/hashicorp/consul:none"))
			.withMessageContaining("localhost:1/hashicorp/consul:none")
			.withMessageContaining("CONSUL_IMAGE");
	}

}
