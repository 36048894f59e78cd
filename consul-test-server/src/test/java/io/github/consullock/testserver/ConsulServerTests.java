package io.github.consullock.testserver;

import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

class ConsulServerTests {

	private final Agent agent = new Agent();

	@Test
	void createsSessionsAsSoonAsItIsStarted() {
		try (ConsulServer server = ConsulServer.start()) {
			assertThat(this.agent.put(server.httpUri(), "/v1/session/create", "{}", "")).contains("\"ID\"");
			assertThat(server.httpUri()).hasToString("http://" + server.host() + ":" + server.port());
		}
	}

	@Test
	void leavesNoProcessNoDataAndNoSessionBehind() {
		Path directory;
		ProcessHandle process;
		try (ConsulServer server = ConsulServer.start()) {
			directory = server.dataDir();
			process = ProcessHandle.of(server.processIds().get(0)).orElseThrow();
			assertThat(directory).isNotEmptyDirectory();
			assertThat(process.isAlive()).isTrue();
			assertThat(this.agent.get(server.httpUri(), "/v1/session/list", "")).isEqualTo("[]");
		}
		assertThat(process.isAlive()).isFalse();
		assertThat(directory).doesNotExist();
	}

	@Test
	void isClosedEvenWhenFrozen() {
		ConsulServer server = ConsulServer.start();
		ProcessHandle process = ProcessHandle.of(server.processIds().get(0)).orElseThrow();
		server.pause();
		server.close();
		assertThat(process.isAlive()).isFalse();
		assertThat(server.dataDir()).doesNotExist();
	}

	@Test
	void answersNothingWhileFrozenAndGoesOnAfterwards() throws Exception {
		try (ConsulServer server = ConsulServer.start()) {
			server.pause();
			try (Socket connection = new Socket(server.host(), server.port())) {
				connection.getOutputStream().write("GET /v1/status/leader HTTP/1.0\r\n\r\n".getBytes("US-ASCII"));
				connection.setSoTimeout(500);
				assertThatExceptionOfType(SocketTimeoutException.class)
					.isThrownBy(() -> connection.getInputStream().read());
				server.resume();
				connection.setSoTimeout(60_000);
				assertThat(connection.getInputStream().read()).isEqualTo('H');
			}
		}
	}

	@Test
	void keepsItsDataAndItsPortsWhenStoppedAndStartedAgain() {
		try (ConsulServer server = ConsulServer.start()) {
			this.agent.put(server.httpUri(), "/v1/kv/kept", "still here", "");
			Long before = server.processIds().get(0);
			server.stopNode(0);
			assertThat(server.processIds()).isEmpty();
			assertThat(server.isRunning(0)).isFalse();
			server.startNode(0);
			assertThat(server.processIds()).hasSize(1).doesNotContain(before);
			assertThat(this.agent.get(server.httpUri(), "/v1/kv/kept?raw", "")).isEqualTo("still here");
		}
	}

	@Test
	void formsClusterThatOutlastsTheLossOfOneServer() {
		try (ConsulServer server = ConsulServer.builder().clusterSize(3).start()) {
			assertThat(server.processIds()).hasSize(3);
			for (int i = 0; i < 3; i++) {
				assertThat(this.agent.put(server.httpUri(i), "/v1/kv/node-" + i, "x", "")).contains("true");
			}
			server.stopNode(0);
			await().atMost(Duration.ofMinutes(1))
				.untilAsserted(
						() -> assertThat(this.agent.put(server.httpUri(1), "/v1/kv/after", "x", "")).contains("true"));
			server.startNode(0);
			assertThat(this.agent.get(server.httpUri(0), "/v1/kv/after?raw", "")).isEqualTo("x");
		}
	}

	@Test
	void aClientAgentIsBesideTheServersAndOutlastsThem() {
		try (ConsulServer server = ConsulServer.builder().clientAgent().start()) {
			assertThat(server.clusterSize()).isEqualTo(1);
			assertThat(server.processIds()).hasSize(2);
			assertThat(this.agent.get(server.httpUri(1), "/v1/agent/self", "")).contains("\"Server\":false")
				.contains("\"" + server.nodeName(1) + "\"");
			assertThat(this.agent.put(server.httpUri(1), "/v1/kv/by-client", "x", "")).contains("true");
			server.stopNode(0);
			server.startNode(0);
			assertThat(this.agent.get(server.httpUri(1), "/v1/kv/by-client?raw", "")).isEqualTo("x");
			server.stopNode(1);
			assertThat(server.isRunning(1)).isFalse();
			server.startNode(1);
			assertThat(this.agent.get(server.httpUri(1), "/v1/kv/by-client?raw", "")).isEqualTo("x");
		}
	}

	@Test
	void takesAgentConfigurationAndDatacenter() {
		try (ConsulServer server = ConsulServer.builder()
			.datacenter("west-1")
			.configuration("{\"limits\": {\"http_max_conns_per_client\": 123}}")
			.start()) {
			assertThat(server.datacenter()).isEqualTo("west-1");
			assertThat(this.agent.get(server.httpUri(), "/v1/agent/self", "")).contains("\"west-1\"")
				.contains("\"HTTPMaxConnsPerClient\":123")
				.contains("\"" + server.nodeName() + "\"");
		}
	}

	@Test
	void tellsWhatConsulSaidWhenItsConfigurationIsWrong() {
		ConsulServerBuilder builder = ConsulServer.builder().configuration("{\"no_such_option\": 1}");
		assertThatExceptionOfType(ConsulServerException.class).isThrownBy(builder::start)
			.withMessageContaining("no_such_option")
			.withMessageContaining("log ends with");
	}

	@Test
	void refusesPortThatIsTaken() {
		try (ConsulServer first = ConsulServer.start()) {
			ConsulServerBuilder second = ConsulServer.builder().httpPort(first.port());
			assertThatExceptionOfType(ConsulServerException.class).isThrownBy(second::start)
				.withMessageContaining("Port " + first.port())
				.withMessageContaining("httpPort");
		}
	}

	@Test
	void refusesOptionsThatMakeNoSense() {
		ConsulServerBuilder builder = ConsulServer.builder();
		assertThatIllegalArgumentException().isThrownBy(() -> builder.clusterSize(0)).withMessageContaining("not 0");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.httpPort(70000)).withMessageContaining("70000");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.datacenter("Not/this"))
			.withMessageContaining("Not/this");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.startTimeout(Duration.ZERO))
			.withMessageContaining("PT0S");
	}

	@Test
	void saysHowToGetWhatWasNotAskedFor() {
		try (ConsulServer server = ConsulServer.start()) {
			assertThatIllegalStateException().isThrownBy(server::managementToken).withMessageContaining("acl()");
			assertThatIllegalStateException().isThrownBy(server::httpsUri).withMessageContaining("tls()");
			assertThatIllegalStateException().isThrownBy(server::caCertificate).withMessageContaining("tls()");
			assertThatIllegalArgumentException().isThrownBy(() -> server.stopNode(1)).withMessageContaining("1 were");
		}
	}

}
