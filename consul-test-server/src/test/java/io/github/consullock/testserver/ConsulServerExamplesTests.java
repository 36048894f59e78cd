package io.github.consullock.testserver;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The examples of docs/test-server.md.
 */
// tag::class[]
@ConsulTest
class ConsulServerExamplesTests {

	@Test
	void ordersAreInConsul(ConsulServer consul, KeyPrefix keys) {
		assertThat(consul.httpUri()).hasScheme("http"); // http://127.0.0.1:<free port>
		assertThat(keys.key("orders/42")).matches("test-\\w+/orders/42");
		// end::class[]
		assertThat(new Agent().put(consul.httpUri(), "/v1/kv/" + keys.key("orders/42"), "shipped", ""))
			.contains("true");
		// tag::class[]
	}
	// end::class[]

	@Test
	void aServerOfOnesOwnCanBeFrozenAndKilled() {
		// tag::own[]
		try (ConsulServer consul = ConsulServer.builder().acl().tls().start()) {
			String token = consul.createToken("""
					key_prefix "locks/" { policy = "write" }
					session_prefix "" { policy = "write" }
					""");
			consul.pause(); // SIGSTOP: connections stay open, nothing answers
			consul.resume();
			consul.stopNode(0); // kill -9; data and ports stay
			consul.startNode(0);
			// end::own[]
			await().atMost(Duration.ofMinutes(1))
				.untilAsserted(() -> assertThat(new Agent().put(consul.httpUri(), "/v1/kv/locks/a", "x", token))
					.contains("true"));
			assertThat(new Agent().put(consul.httpUri(), "/v1/kv/other", "x", token)).startsWith("403");
			// tag::own[]
		}
		// end::own[]
	}

	// tag::class[]

}
// end::class[]
