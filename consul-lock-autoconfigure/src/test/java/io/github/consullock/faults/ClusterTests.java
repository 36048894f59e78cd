package io.github.consullock.faults;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.faults.History.Held;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Servers that are killed and paused, alone and together, and the agent of the
 * application's own machine. One lock is held all the while, and another acquired and
 * released again and again.
 */
@Tag("faults")
@Timeout(3600)
class ClusterTests {

	private static final Duration LONG = Duration.ofMinutes(3);

	/** The default, which outlasts an election at Consul's default timing. */
	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS;

	private static final SessionSettings SHORT = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private final History history = new History();

	@Test
	void theDeathOfTheLeaderEndsNoHold() throws Exception {
		deathsOfTheLeader(1, Scenario.times(2, 20));
		if (Scenario.isInFull()) {
			// Consul's default timing, with which an election takes long.
			deathsOfTheLeader(5, 20);
		}
	}

	private void deathsOfTheLeader(int raftMultiplier, int times) throws Exception {
		Scenario scenario = new Scenario("1 leader killed, multiplier " + raftMultiplier);
		try (Cluster cluster = new Cluster(raftMultiplier);
				Load load = new Load(cluster.address(), SETTINGS, this.history, scenario)) {
			for (int i = 0; i < times; i++) {
				int leader = cluster.leader();
				long start = System.nanoTime();
				cluster.consul().stopNode(leader);
				await().pollDelay(Duration.ZERO)
					.pollInterval(Duration.ofMillis(50))
					.atMost(LONG)
					.until(cluster::isWritable);
				scenario.measured("until writes are back", Duration.ofNanos(System.nanoTime() - start));
				load.awaitMore();
				load.assertHeld();
				cluster.consul().startNode(leader);
				cluster.awaitWhole();
				scenario.count("leaders killed");
			}
			load.end();
		}
		scenario.end();
		assertNothingWrong();
	}

	@Test
	void aLeaderThatIsPausedEndsNoHold() throws Exception {
		Scenario scenario = new Scenario("2 leader paused");
		try (Cluster cluster = new Cluster(1);
				Load load = new Load(cluster.address(), SETTINGS, this.history, scenario)) {
			for (int i = 0; i < Scenario.times(1, 5); i++) {
				int leader = cluster.leader();
				cluster.consul().pause(leader);
				load.awaitMore();
				// It comes back, and takes itself for the leader for a moment.
				cluster.consul().resume(leader);
				cluster.awaitWhole();
				load.awaitMore();
				load.assertHeld();
				scenario.count("leaders paused");
			}
			load.end();
		}
		scenario.end();
		assertNothingWrong();
	}

	@Test
	void whateverBecomesOfTheAgentTheHolderIsToldBeforeTheNextAcquires() throws Exception {
		Scenario scenario = new Scenario("4 client agent killed, paused, left");
		try (Cluster cluster = new Cluster(1);
				ConsulClient direct = HttpConsulClient.builder(cluster.consul().httpUri(0)).build();
				ConsulLockRegistry next = registry(direct, SHORT)) {
			for (int i = 0; i < Scenario.times(1, 10); i++) {
				agentGoes(cluster, next, "killed", () -> cluster.consul().stopNode(Cluster.CLIENT), scenario);
				agentGoes(cluster, next, "left", () -> cluster.leave(Cluster.CLIENT), scenario);
			}
			for (int i = 0; i < Scenario.times(1, 10); i++) {
				agentIsPaused(cluster, Duration.ofSeconds(Scenario.times(3, 2 + i % 7)), scenario);
			}
		}
		scenario.end();
		assertNothingWrong();
	}

	private void agentGoes(Cluster cluster, ConsulLockRegistry next, String how, Deed deed, Scenario scenario)
			throws Exception {
		ConsulClient client = HttpConsulClient.builder(cluster.address()).build();
		ConsulLockRegistry registry = registry(client, SHORT);
		LockHandle handle = registry.obtain("agent").acquire(LONG);
		Held held = this.history.acquired("first", handle);
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost((reason) -> {
			held.ends();
			told.complete(reason);
		});
		CompletableFuture<LockHandle> waiting = next.obtain("agent").acquireAsync(LONG);
		long start = System.nanoTime();
		deed.run();
		LockHandle taken = waiting.get(LONG.toSeconds(), TimeUnit.SECONDS);
		Held heldNext = this.history.acquired("next", taken);
		told.get(LONG.toSeconds(), TimeUnit.SECONDS);
		scenario.measured("had by the next after the agent was " + how, Duration.ofNanos(System.nanoTime() - start));
		heldNext.ends();
		taken.close();
		registry.close();
		client.close();
		await().atMost(LONG).until(() -> !cluster.consul().isRunning(Cluster.CLIENT));
		cluster.consul().startNode(Cluster.CLIENT);
		cluster.awaitWhole();
		scenario.count("agents " + how);
	}

	/** Shorter than the deadline: renewals go on when it does. */
	private void agentIsPaused(Cluster cluster, Duration time, Scenario scenario) throws Exception {
		try (ConsulClient client = HttpConsulClient.builder(cluster.address()).build();
				ConsulLockRegistry registry = registry(client, SETTINGS)) {
			LockHandle handle = registry.obtain("paused").acquire(LONG);
			Held held = this.history.acquired("paused", handle);
			cluster.consul().pause(Cluster.CLIENT);
			Thread.sleep(time.toMillis());
			cluster.consul().resume(Cluster.CLIENT);
			registry.obtain("other").acquire(LONG).close();
			assertThat(handle.isHeld()).isTrue();
			held.ends();
			assertThat(handle.release()).isTrue();
			scenario.count("agents paused");
		}
	}

	@Test
	void withoutAMajorityTheHolderIsToldAtItsDeadlineAndAllWorksAgainAfterwards() throws Exception {
		Scenario scenario = new Scenario("9 two of three servers down, all killed");
		try (Cluster cluster = new Cluster(1)) {
			for (int i = 0; i < Scenario.times(1, 5); i++) {
				serversGo(cluster, 2, Duration.ofSeconds(Scenario.times(0, 60)), scenario);
				serversGo(cluster, Cluster.SERVERS, Duration.ZERO, scenario);
			}
		}
		scenario.end();
		assertNothingWrong();
	}

	private void serversGo(Cluster cluster, int servers, Duration time, Scenario scenario) throws Exception {
		try (ConsulClient client = HttpConsulClient.builder(cluster.address()).build();
				ConsulLockRegistry registry = registry(client, SHORT)) {
			LockHandle handle = registry.obtain("majority").acquire(LONG);
			Held held = this.history.acquired("majority", handle);
			CompletableFuture<LockLostReason> told = new CompletableFuture<>();
			handle.onLost((reason) -> {
				held.ends();
				told.complete(reason);
			});
			int leader = cluster.leader();
			long start = System.nanoTime();
			for (int i = 0; i < servers; i++) {
				cluster.consul().stopNode((leader + i) % Cluster.SERVERS);
			}
			held.hasDeadline(start + SHORT.ttl().toNanos());
			assertThat(told.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(LockLostReason.DEADLINE_PASSED);
			scenario.measured("told", Duration.ofNanos(System.nanoTime() - start));
			Thread.sleep(time.toMillis());
			for (int i = 0; i < servers; i++) {
				cluster.consul().startNode((leader + i) % Cluster.SERVERS);
			}
			long back = System.nanoTime();
			LockHandle other = registry.obtain("other").acquire(LONG);
			scenario.measured("a lock after the last start", Duration.ofNanos(System.nanoTime() - back));
			other.close();
			LockHandle again = registry.obtain("majority").acquire(LONG);
			Held heldAgain = this.history.acquired("majority", again);
			assertThat(again.fencingToken()).isGreaterThan(handle.fencingToken());
			heldAgain.ends();
			again.close();
			cluster.awaitWhole();
			scenario.count(servers + " of " + Cluster.SERVERS + " servers killed");
		}
	}

	@Test
	void aSnapshotThatIsRestoredIsNoticed() throws Exception {
		Scenario scenario = new Scenario("9 snapshot restored");
		try (Cluster cluster = new Cluster(1);
				ConsulClient client = HttpConsulClient.builder(cluster.address()).build();
				ConsulLockRegistry registry = registry(client, SHORT)) {
			for (int i = 0; i < Scenario.times(1, 10); i++) {
				byte[] snapshot = cluster.snapshot();
				LockHandle handle = registry.obtain("snapshot").acquire(LONG);
				CompletableFuture<LockLostReason> told = new CompletableFuture<>();
				handle.onLost(told::complete);
				long start = System.nanoTime();
				cluster.restore(snapshot);
				assertThat(told.get(LONG.toSeconds(), TimeUnit.SECONDS)).isNotNull();
				scenario.measured("noticed", Duration.ofNanos(System.nanoTime() - start));
				assertThat(handle.isHeld()).isFalse();
				registry.obtain("snapshot").acquire(LONG).close();
				scenario.count("snapshots restored");
			}
		}
		scenario.end();
	}

	private void assertNothingWrong() {
		assertThat(new Checker(Duration.ZERO, LONG).violationsIn(this.history)).isEmpty();
	}

	private static ConsulLockRegistry registry(ConsulClient client, SessionSettings settings) {
		return ConsulLockRegistry.builder(client)
			.session(settings)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	/** What is done to an agent. */
	private interface Deed {

		void run() throws Exception;

	}

}
