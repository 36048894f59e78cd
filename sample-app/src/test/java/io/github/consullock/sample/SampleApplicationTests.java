package io.github.consullock.sample;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two instances of the sample on a real Consul, with one receiver.
 */
@ConsulTest
class SampleApplicationTests {

	private static final Duration SHORT = Duration.ofMillis(50);

	private static final Duration LONG = Duration.ofMinutes(5);

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private static final List<ConfigurableApplicationContext> contexts = new ArrayList<>();

	private static ReceiverServer receiver;

	private static ConsulCalls consul;

	private static String keyPrefix;

	private static InstanceClient a;

	private static InstanceClient b;

	@BeforeAll
	static void startInstances(ConsulServer server, KeyPrefix keys) {
		receiver = ReceiverServer.start(SHORT);
		consul = new ConsulCalls(server.httpUri());
		keyPrefix = keys.value();
		a = start("A", server);
		b = start("B", server);
	}

	private static InstanceClient start(String name, ConsulServer server) {
		ConfigurableApplicationContext context = new SpringApplicationBuilder(SampleApplication.class).run(
				"--sample.instance=" + name, "--sample.receivers.shared=" + receiver.url("shared"),
				"--sample.receivers.lost=" + receiver.url("lost"), "--sample.receivers.gone=http://127.0.0.1:1/",
				"--sample.receiver-duration=50ms", "--server.port=0", "--spring.cloud.consul.host=" + server.host(),
				"--spring.cloud.consul.port=" + server.port(), "--spring.cloud.consul.discovery.query-passing=false",
				"--consul.lock.key-prefix=" + keyPrefix, "--spring.main.banner-mode=off");
		contexts.add(context);
		int port = context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
		return new InstanceClient(name, URI.create("http://127.0.0.1:" + port));
	}

	@AfterAll
	static void stopInstances() {
		contexts.forEach(ConfigurableApplicationContext::close);
		receiver.close();
	}

	@BeforeEach
	void receiverIsQuick() {
		receiver.takes(SHORT);
	}

	@Test
	void deliversToTheReceiverThatItHasItself() throws Exception {
		InstanceClient.Answer answer = get(a.deliver("slow"));
		assertThat(answer.status()).isEqualTo(200);
		assertThat(answer.body().path("state").asString()).isEqualTo("DELIVERED");
		assertThat(answer.body().path("instance").asString()).isEqualTo("A");
		assertThat(answer.body().path("fencingToken").asLong()).isPositive();
	}

	@Test
	void anUnknownReceiverIsNotFound() throws Exception {
		InstanceClient.Answer answer = get(a.deliver("other"));
		assertThat(answer.status()).isEqualTo(404);
		assertThat(answer.body().path("detail").asString()).contains("sample.receivers.other");
	}

	@Test
	void aReceiverThatDoesNotAnswerIsABadGatewayAndFreesTheLock() throws Exception {
		assertThat(get(a.deliver("gone")).status()).isEqualTo(502);
		InstanceClient.Answer answer = get(b.deliver("gone"));
		assertThat(answer.status()).isEqualTo(502);
		assertThat(answer.body().path("code").asString()).isEqualTo("RECEIVER_FAILED");
	}

	@Test
	void instancesNeverDeliverToAReceiverAtOnce() throws Exception {
		int before = receiver.calls().size();
		List<CompletableFuture<InstanceClient.Answer>> answers = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			answers.add(a.deliver("shared"));
			answers.add(b.deliver("shared"));
		}
		for (CompletableFuture<InstanceClient.Answer> answer : answers) {
			assertThat(get(answer).status()).isEqualTo(200);
		}
		List<ReceiverCall> calls = receiver.calls().subList(before, before + 20);
		assertThat(calls).noneMatch(ReceiverCall::overlapping);
		assertThat(calls).extracting(ReceiverCall::caller).contains("A", "B");
		assertThat(calls).extracting(ReceiverCall::fencingToken).doesNotHaveDuplicates().isSorted();
	}

	@Test
	void theLossOfTheSessionAbortsTheCallAndTheCallerIsTold() throws Exception {
		receiver.takes(LONG);
		int before = receiver.calls().size();
		// A receiver of its own, since lock-delay keeps others out after this.
		CompletableFuture<InstanceClient.Answer> delivery = a.deliver("lost");
		Awaitility.await().atMost(AMPLE).until(() -> receiver.calls().size() > before);
		consul.destroySession(consul.sessionHolding(keyPrefix + "webhook_receiver/lost"));
		InstanceClient.Answer answer = get(delivery);
		assertThat(answer.status()).isEqualTo(503);
		assertThat(answer.body().path("code").asString()).isEqualTo("LOCK_LOST");
		assertThat(answer.body().path("reason").asString()).isEqualTo("SESSION_INVALIDATED");
		Awaitility.await()
			.atMost(AMPLE)
			.untilAsserted(
					() -> assertThat(receiver.calls().get(before).state()).isEqualTo(ReceiverCall.State.ABORTED));
		assertThat(a.deliveries()).anyMatch((listed) -> listed.state() == DeliveryState.CANCELLED);
	}

	@Test
	void instancesSeeEachOther() {
		Awaitility.await()
			.atMost(AMPLE)
			.untilAsserted(() -> assertThat(a.instances()).extracting(InstanceController.Instance::id)
				.containsExactlyInAnyOrder("webhook-delivery-A", "webhook-delivery-B"));
	}

	private static InstanceClient.Answer get(CompletableFuture<InstanceClient.Answer> answer) throws Exception {
		return answer.get(2, TimeUnit.MINUTES);
	}

}
