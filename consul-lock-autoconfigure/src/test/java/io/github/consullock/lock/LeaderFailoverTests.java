package io.github.consullock.lock;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A server that dies, the leader even, ends no lock: not those of sessions that were
 * created on another.
 */
class LeaderFailoverTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void aLockOutlivesTheLeaderAndIsStillExclusive() {
		try (ConsulServer cluster = ConsulServer.builder().clusterSize(3).start();
				Instances probe = new Instances(cluster.httpUri(), "failover/")) {
			int leader = leader(cluster, probe);
			URI survivor = cluster.httpUri((leader + 1) % 3);
			try (Instances instances = new Instances(survivor, "failover/")) {
				ConsulLockRegistry registry = instances
					.start((builder) -> builder.session(SessionSettings.DEFAULTS.withName("failover/")));
				ConsulLockRegistry other = instances
					.start((builder) -> builder.session(SessionSettings.DEFAULTS.withName("failover/")));
				other.obtain("warm-up").acquire().close();
				LockHandle handle = registry.obtain("a").acquire();
				AtomicReference<LockLostReason> lost = new AtomicReference<>();
				handle.onLost(lost::set);
				cluster.stopNode(leader);
				// A write that was applied after the election: there is a new leader.
				try (LockHandle proof = registry.obtain("b").tryAcquire(LONG).orElseThrow()) {
					assertThat(proof.fencingToken()).isGreaterThan(handle.fencingToken());
				}
				Duration remaining = handle.remaining();
				await().atMost(LONG).until(() -> !handle.isHeld() || handle.remaining().compareTo(remaining) > 0);
				assertThat(lost).hasNullValue();
				assertThat(handle.isHeld()).isTrue();
				assertThat(other.obtain("a").tryAcquire(Duration.ofSeconds(2))).isEmpty();
				assertThat(handle.release()).isTrue();
				try (LockHandle next = other.obtain("a").tryAcquire(LONG).orElseThrow()) {
					assertThat(next.fencingToken()).isGreaterThan(handle.fencingToken());
				}
			}
		}
	}

	private static int leader(ConsulServer cluster, Instances probe) {
		String leader = probe.request("GET", "/v1/status/leader", "");
		String self = probe.request("GET", "/v1/operator/raft/configuration", "");
		for (int i = 0; i < cluster.clusterSize(); i++) {
			int at = self.indexOf("\"" + cluster.nodeName(i) + "\"");
			int end = self.indexOf('}', at);
			if (at >= 0 && self.substring(at, end).contains(leader.trim())) {
				return i;
			}
		}
		throw new IllegalStateException("No leader " + leader + " in " + self);
	}

}
