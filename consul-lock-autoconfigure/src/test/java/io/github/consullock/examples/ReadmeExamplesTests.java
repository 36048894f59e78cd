package io.github.consullock.examples;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServerTestConfiguration;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The examples of the README, with the settings that it shows.
 */
@SpringBootTest(properties = { "spring.application.name=webhooks", "consul.lock.waiting.timeout=2m" })
@Import({ ConsulServerTestConfiguration.class, ReadmeExamplesTests.Webhooks.class })
class ReadmeExamplesTests {

	@Autowired
	private Webhooks webhooks;

	@Autowired
	private ConsulLockRegistry registry;

	@Autowired
	private ConsulClient client;

	@Test
	void aWebhookIsDeliveredUnderTheLockOfItsReceiver() throws Exception {
		this.webhooks.deliver("crm", "order 42");
		this.webhooks.deliver("crm", "order 43");
		List<Webhooks.Call> calls = this.webhooks.calls();
		assertThat(calls).extracting(Webhooks.Call::body).containsExactly("order 42", "order 43");
		assertThat(calls).extracting(Webhooks.Call::key).containsOnly("locks/webhook_receiver/crm");
		assertThat(calls).extracting(Webhooks.Call::token).isSorted().doesNotHaveDuplicates();
		await().untilAsserted(
				() -> assertThat(this.client.read("locks/webhook_receiver/crm", Duration.ofMinutes(1))).isEmpty());
	}

	@Test
	void aLockIsHeldWithoutAnnotation() {
		ConsulLockRegistry registry = this.registry;
		List<String> shipped = new ArrayList<>();
		// tag::registry[]
		try (LockHandle handle = registry.obtain("orders/42").acquire()) {
			shipped.add("42, token " + handle.fencingToken());
		}
		// end::registry[]
		assertThat(shipped).hasSize(1);
		assertThat(registry.heldLocks()).isEmpty();
	}

	static class Webhooks {

		private final List<Call> calls = new ArrayList<>();

		List<Call> calls() {
			return this.calls;
		}

		// tag::deliver[]
		@DistributedLock("webhook_receiver/#{#receiver}")
		public void deliver(String receiver, String body) throws InterruptedException, IOException {
			send(receiver, body, LockHandle.current().fencingToken());
		}
		// end::deliver[]

		private void send(String receiver, String body, long token) {
			this.calls.add(new Call(LockHandle.current().key(), body, token));
		}

		record Call(String key, String body, long token) {

		}

	}

}
