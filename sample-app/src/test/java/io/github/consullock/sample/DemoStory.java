package io.github.consullock.sample;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What consul-lock is for, step by step: who delivers, who waits, what a loss and a crash
 * do. Each step is checked, and told with its time.
 */
final class DemoStory {

	/** A delivery that somebody has to end. */
	private static final Duration LONG = Duration.ofMinutes(5);

	private static final Duration SHORT = Duration.ofSeconds(1);

	private static final Duration LOCK_DELAY = Duration.ofSeconds(10);

	/** Twice the TTL of 10 seconds, then lock-delay. */
	private static final Duration TAKE_OVER_AFTER_CRASH = Duration.ofSeconds(30);

	/** What a busy machine may take on top. */
	private static final Duration SLACK = Duration.ofSeconds(20);

	private final DemoStage stage;

	private final InstanceClient a;

	private final InstanceClient b;

	private final DemoSteps steps;

	DemoStory(DemoStage stage, InstanceClient a, InstanceClient b, DemoSteps steps) {
		this.stage = stage;
		this.a = a;
		this.b = b;
		this.steps = steps;
	}

	/**
	 * Plays the whole story.
	 * @throws Exception if a step does not go as it should, as does an AssertionError
	 */
	void play() throws Exception {
		seeEachOther();
		loseTheSession();
		crash();
		neverTwoAtOnce();
	}

	private void seeEachOther() {
		for (InstanceClient instance : List.of(this.a, this.b)) {
			awaiting("both instances in the list of " + instance.name(), SLACK)
				.untilAsserted(() -> assertThat(instance.instances()).extracting(InstanceController.Instance::url)
					.containsExactlyInAnyOrder(this.a.address().toString(), this.b.address().toString()));
		}
		this.steps.done("A and B see each other through Consul");
	}

	private void loseTheSession() throws Exception {
		CompletableFuture<InstanceClient.Answer> toA = deliveringA(0);
		CompletableFuture<InstanceClient.Answer> toB = waitingB();
		assertThat(toA).isNotDone();

		String session = this.stage.consul().sessionHolding(DemoStage.KEY);
		long destroyed = System.nanoTime();
		this.stage.consul().destroySession(session);
		this.steps.done("The session of A is destroyed from outside: PUT /v1/session/destroy/%s", session);

		InstanceClient.Answer cancelled = toA.get(SLACK.toSeconds(), TimeUnit.SECONDS);
		assertThat(cancelled.status()).as("the status of %s", cancelled).isEqualTo(503);
		assertThat(cancelled.body().path("code").asString()).as("the code of %s", cancelled).isEqualTo("LOCK_LOST");
		this.steps.done("A's caller was told %d ms after that: 503 %s, %s", millis(destroyed, cancelled.at()),
				cancelled.body().path("code").asString(), cancelled.body().path("reason").asString());
		awaitCall(0, "A", SLACK, ReceiverCall.State.ABORTED);
		this.steps.done("A's HTTP request is aborted: the receiver saw the connection closed %d ms after that",
				millis(destroyed, System.nanoTime()));
		Delivery ofA = last(this.a);
		assertThat(ofA.state()).isEqualTo(DeliveryState.CANCELLED);
		this.steps.done("A says of it: %s", ofA);

		takeOver(1, toB, destroyed, LOCK_DELAY.plus(SLACK));
	}

	private void crash() throws Exception {
		CompletableFuture<InstanceClient.Answer> toA = deliveringA(2);
		CompletableFuture<InstanceClient.Answer> toB = waitingB();
		assertThat(toA).isNotDone();

		long killed = System.nanoTime();
		this.stage.processA().kill();
		assertThatExceptionOfType(ExecutionException.class)
			.isThrownBy(() -> toA.get(SLACK.toSeconds(), TimeUnit.SECONDS));
		awaitCall(2, "A", SLACK, ReceiverCall.State.ABORTED);
		this.steps.done("A is killed while it delivers: kill -9 %d", this.stage.processA().pid());

		takeOver(3, toB, killed, TAKE_OVER_AFTER_CRASH.plus(SLACK));
	}

	private CompletableFuture<InstanceClient.Answer> deliveringA(int call) {
		this.stage.receiver().takes(LONG);
		CompletableFuture<InstanceClient.Answer> answer = this.a.deliver(DemoStage.RECEIVER);
		ReceiverCall received = awaitCall(call, "A", SLACK, ReceiverCall.State.RECEIVING);
		assertThat(last(this.a).state()).isEqualTo(DeliveryState.DELIVERING);
		this.steps.done("A delivers, with fencing token %d", received.fencingToken());
		return answer;
	}

	private CompletableFuture<InstanceClient.Answer> waitingB() {
		this.stage.receiver().takes(SHORT);
		int before = this.b.deliveries().size();
		CompletableFuture<InstanceClient.Answer> answer = this.b.deliver(DemoStage.RECEIVER);
		awaiting("the delivery of B", SLACK).until(() -> this.b.deliveries().size() == before + 1);
		assertThat(last(this.b).state()).isEqualTo(DeliveryState.WAITING);
		this.steps.done("B waits");
		return answer;
	}

	private void takeOver(int call, CompletableFuture<InstanceClient.Answer> toB, long since, Duration atMost)
			throws Exception {
		DeliveryState meanwhile = last(this.b).state();
		if (System.nanoTime() - since < LOCK_DELAY.toNanos()) {
			assertThat(meanwhile).isEqualTo(DeliveryState.WAITING);
		}
		// Or taken already, where the machine paused for longer than it takes.
		ReceiverCall received = awaitCall(call, "B", atMost, ReceiverCall.State.RECEIVING, ReceiverCall.State.RECEIVED);
		long begun = System.nanoTime();
		assertThat(Duration.ofNanos(begun - since)).as("B begins after lock-delay").isGreaterThanOrEqualTo(LOCK_DELAY);
		this.steps.done("B delivers, %d ms after that, with fencing token %d", millis(since, begun),
				received.fencingToken());
		InstanceClient.Answer answer = toB.get(SHORT.plus(SLACK).toSeconds(), TimeUnit.SECONDS);
		assertThat(answer.status()).as("the status of %s", answer).isEqualTo(200);
		awaitCall(call, "B", SLACK, ReceiverCall.State.RECEIVED);
		this.steps.done("B has delivered: %s", last(this.b));
	}

	private void neverTwoAtOnce() {
		List<ReceiverCall> calls = this.stage.receiver().calls();
		assertThat(calls).hasSize(4).noneMatch(ReceiverCall::overlapping);
		List<Long> tokens = calls.stream().map(ReceiverCall::fencingToken).toList();
		assertThat(tokens).doesNotHaveDuplicates().isSorted();
		this.steps.done("Never two delivered at once, and their fencing tokens rose: %s", tokens);
	}

	private ReceiverCall awaitCall(int index, String caller, Duration atMost, ReceiverCall.State... states) {
		awaiting("call %d, by %s, to be %s".formatted(index + 1, caller, List.of(states)), atMost).untilAsserted(() -> {
			assertThat(this.stage.receiver().calls()).hasSizeGreaterThan(index);
			ReceiverCall call = this.stage.receiver().calls().get(index);
			assertThat(call.caller()).isEqualTo(caller);
			assertThat(call.state()).isIn((Object[]) states);
		});
		return this.stage.receiver().calls().get(index);
	}

	private static ConditionFactory awaiting(String what, Duration atMost) {
		return Awaitility.await(what).atMost(atMost).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
	}

	private static Delivery last(InstanceClient instance) {
		List<Delivery> deliveries = instance.deliveries();
		return deliveries.get(deliveries.size() - 1);
	}

	private static long millis(long from, long to) {
		return TimeUnit.NANOSECONDS.toMillis(to - from);
	}

}
