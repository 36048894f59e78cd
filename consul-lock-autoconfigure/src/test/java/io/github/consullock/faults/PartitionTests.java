package io.github.consullock.faults;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.faults.History.Held;
import io.github.consullock.faults.NetworkedCluster.Cut;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Leaders that the network cuts off, from everybody or from the other servers alone.
 */
@Tag("faults")
@Timeout(3600)
class PartitionTests {

	private static final Duration LONG = Duration.ofMinutes(3);

	private static final SessionSettings SHORT = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private final History history = new History();

	@TempDir
	private Path folder;

	@BeforeEach
	void mayCutNetworks() {
		Optional<String> obstacle = NetworkedCluster.obstacle();
		assumeTrue(obstacle.isEmpty(), () -> obstacle.orElse(""));
	}

	@Test
	void aLeaderThatIsCutOffEndsNoHold() throws Exception {
		Scenario scenario = new Scenario("2 leader cut off");
		try (NetworkedCluster cluster = new NetworkedCluster(this.folder);
				Load load = new Load(cluster.address(), SessionSettings.DEFAULTS, this.history, scenario)) {
			for (int i = 0; i < Scenario.times(2, Cut.values().length * 2); i++) {
				// In short two that differ most.
				Cut cut = Scenario.isInFull() ? Cut.values()[i % Cut.values().length]
						: (i == 0) ? Cut.OUTBOUND : Cut.FROM_PEERS;
				int leader = cluster.leader();
				long start = System.nanoTime();
				cluster.cut(leader, cut);
				load.awaitMore();
				scenario.measured("until locks are acquired again", Duration.ofNanos(System.nanoTime() - start));
				Thread.sleep(Duration.ofSeconds(Scenario.times(1, 30)).toMillis());
				load.assertHeld();
				cluster.heal();
				cluster.awaitWhole();
				load.awaitMore();
				load.assertHeld();
				scenario.count("leaders cut off, " + cut);
			}
			load.end();
		}
		scenario.end();
		assertNothingWrong();
	}

	@Test
	void aLeaderInTheMinorityGrantsNothingAndItsHolderIsToldAtItsDeadline() throws Exception {
		Scenario scenario = new Scenario("3 clients of a leader in the minority");
		try (NetworkedCluster cluster = new NetworkedCluster(this.folder)) {
			for (int i = 0; i < Scenario.times(1, 10); i++) {
				minority(cluster, scenario);
			}
		}
		scenario.end();
		assertNothingWrong();
	}

	private void minority(NetworkedCluster cluster, Scenario scenario) throws Exception {
		int leader = cluster.leader();
		try (ConsulClient cutOff = HttpConsulClient.builder(cluster.address(leader)).build();
				ConsulLockRegistry minority = registry(cutOff);
				ConsulClient client = HttpConsulClient.builder(cluster.address()).build();
				ConsulLockRegistry majority = registry(client)) {
			LockHandle handle = minority.obtain("a").acquire(LONG);
			Held held = this.history.acquired("minority", handle);
			CompletableFuture<LockLostReason> told = new CompletableFuture<>();
			handle.onLost((reason) -> {
				held.ends();
				told.complete(reason);
			});
			CompletableFuture<LockHandle> next = majority.obtain("a").acquireAsync(LONG);
			long start = System.nanoTime();
			cluster.cut(leader, Cut.FROM_PEERS);
			held.hasDeadline(start + SHORT.ttl().toNanos());
			// It may still take itself for the leader.
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> minority.obtain("b").acquire(Duration.ofSeconds(3)));
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> minority.obtain("a").holder());
			assertThat(told.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(LockLostReason.DEADLINE_PASSED);
			scenario.measured("told", Duration.ofNanos(System.nanoTime() - start));
			LockHandle taken = next.get(LONG.toSeconds(), TimeUnit.SECONDS);
			Held heldNext = this.history.acquired("majority", taken);
			scenario.measured("had by the majority", Duration.ofNanos(System.nanoTime() - start));
			cluster.heal();
			cluster.awaitWhole();
			assertThat(handle.isHeld()).isFalse();
			assertThat(taken.isHeld()).isTrue();
			heldNext.ends();
			assertThat(taken.release()).isTrue();
			minority.obtain("b").acquire(LONG).close();
			scenario.count("leaders left in the minority");
		}
	}

	private void assertNothingWrong() {
		assertThat(new Checker(Duration.ZERO, LONG).violationsIn(this.history)).isEmpty();
	}

	private static ConsulLockRegistry registry(ConsulClient client) {
		return ConsulLockRegistry.builder(client).session(SHORT).waitTime(LONG).shutdownTimeout(Duration.ZERO).build();
	}

}
