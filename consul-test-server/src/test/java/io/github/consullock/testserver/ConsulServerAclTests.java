package io.github.consullock.testserver;

import java.time.Duration;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConsulServerAclTests {

	private final Agent agent = new Agent();

	private final ConsulServer server = ConsulServer.builder().acl().clusterSize(3).start();

	@BeforeAll
	void isReady() {
		assertThat(this.server.managementToken()).isNotBlank();
	}

	@AfterAll
	void close() {
		this.server.close();
	}

	@Test
	void refusesRequestsWithoutToken() {
		assertThat(this.agent.put(this.server.httpUri(), "/v1/kv/a", "x", "")).startsWith("403");
		assertThat(this.agent.put(this.server.httpUri(), "/v1/kv/a", "x", this.server.managementToken()))
			.contains("true");
	}

	@Test
	void createsTokenThatMayDoWhatItsRulesSayOnEachServer() {
		String rules = """
				key_prefix "mine/" { policy = "write" }
				session "%s" { policy = "write" }
				""".formatted(this.server.nodeName(0));
		// In vain while the cluster has no leader, which a pause of the machine is enough
		// for.
		String token = await().atMost(Duration.ofMinutes(1))
			.ignoreExceptionsInstanceOf(ConsulServerException.class)
			.until(() -> this.server.createToken(rules), (each) -> true);
		for (int i = 0; i < this.server.clusterSize(); i++) {
			assertThat(this.agent.put(this.server.httpUri(i), "/v1/kv/mine/a", "x", token)).contains("true");
			assertThat(this.agent.put(this.server.httpUri(i), "/v1/kv/other/a", "x", token)).startsWith("403");
		}
		assertThat(this.agent.put(this.server.httpUri(0), "/v1/session/create", "{}", token)).contains("\"ID\"");
		assertThat(this.agent.put(this.server.httpUri(1), "/v1/session/create", "{}", token)).startsWith("403");
	}

	@Test
	void reportsRulesThatConsulRefuses() {
		assertThatExceptionOfType(ConsulServerException.class)
			.isThrownBy(() -> this.server.createToken("no rules at all {"))
			.withMessageContaining("create a token")
			.withMessageContaining("/v1/acl/policy");
	}

}
