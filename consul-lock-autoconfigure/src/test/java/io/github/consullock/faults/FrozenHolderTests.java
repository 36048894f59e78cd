package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import io.github.consullock.LockHandle;
import io.github.consullock.OtherProcess;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A holder's process that stands still, for less than its deadline, for longer, and for
 * so long that somebody else has the lock when it goes on, between its last look at the
 * lock and its write.
 */
@Tag("faults")
@ConsulTest
@Timeout(3600)
class FrozenHolderTests {

	private static final Duration LONG = LockProcess.LONG;

	private static final int SIDE_BY_SIDE = 5;

	private final URI consul;

	private final String prefix;

	private final ConsulClient observer;

	private final ConsulLockRegistry other;

	private final ExecutorService executor = Executors.newFixedThreadPool(SIDE_BY_SIDE);

	private final Scenario scenario = new Scenario("5 holder's process stopped");

	FrozenHolderTests(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul.httpUri();
		this.prefix = prefix.value();
		this.observer = new PatientClient(this.consul);
		this.other = LockProcess.registry(this.observer, this.prefix);
	}

	@AfterEach
	void stop() {
		this.executor.shutdownNow();
		this.other.close();
		this.observer.close();
	}

	@Test
	void noWriteOfAFormerHolderIsTakenAndItsFirstLookTells() throws Exception {
		List<Callable<Void>> rounds = new ArrayList<>();
		for (int i = 0; i < Scenario.times(1, 20); i++) {
			int round = i;
			rounds.add(() -> shortly("short" + round));
			rounds.add(() -> overItsDeadline("long" + round));
		}
		for (int i = 0; i < Scenario.times(1, 100); i++) {
			int round = i;
			rounds.add(() -> betweenCheckAndWrite("taken" + round));
		}
		for (Future<Void> round : this.executor.invokeAll(rounds)) {
			round.get();
		}
		this.scenario.end();
		List<KvOperation> written = this.observer.list("written-under/" + this.prefix, LONG)
			.stream()
			.map((entry) -> KvOperation.delete(entry.key()))
			.toList();
		for (KvOperation delete : written) {
			this.observer.transact(List.of(delete), LONG);
		}
	}

	/** Less than the deadline, and less than what may pass between two renewals. */
	private Void shortly(String key) throws Exception {
		try (OtherProcess holder = LockProcess.start(this.consul, this.prefix)) {
			holder.ask("hold " + key);
			long start = System.nanoTime();
			holder.pause();
			Thread.sleep(6000);
			holder.resume();
			boolean held = Boolean.parseBoolean(holder.ask("look " + key));
			// Or the machine has paused as well, and the lock is rightly lost.
			boolean longer = System.nanoTime() - start > LockProcess.SETTINGS.ttl().toNanos() * 8 / 10;
			assertThat(held || longer).isTrue();
			this.scenario.count("stopped for 6 s" + (held ? ", held after it" : ", and too long"));
		}
		return null;
	}

	private Void overItsDeadline(String key) throws Exception {
		try (OtherProcess holder = LockProcess.start(this.consul, this.prefix)) {
			holder.ask("hold " + key);
			holder.pause();
			Thread.sleep(LockProcess.SETTINGS.ttl().toMillis());
			holder.resume();
			assertThat(holder.ask("look " + key)).isEqualTo("false");
			this.scenario.count("stopped past its deadline, lost at the first look");
		}
		return null;
	}

	private Void betweenCheckAndWrite(String key) throws Exception {
		try (OtherProcess holder = LockProcess.start(this.consul, this.prefix)) {
			long token = Long.parseLong(holder.ask("hold " + key));
			History history = new History();
			long newest = token;
			history.wrote(key, token, true);
			assertThat(holder.ask("write " + key)).isEqualTo("checked");
			holder.pause();
			holder.tell("go on");
			try (LockHandle taken = this.other.obtain(key).acquire(LONG)) {
				newest = Math.max(newest, taken.fencingToken());
				history.wrote(key, taken.fencingToken(), true);
				taken.guardedPut("written-under/" + this.prefix + key, String.valueOf(taken.fencingToken()));
				holder.resume();
				String[] answer = holder.next().split(" ");
				// What a database with the token beside the data does.
				boolean accepted = token >= newest;
				history.wrote(key, token, accepted);
				assertThat(answer[0]).isEqualTo("refused");
				assertThat(answer[1]).isEqualTo("false");
				assertThat(this.observer.read("written-under/" + this.prefix + key, LONG).orElseThrow().value())
					.isEqualTo(String.valueOf(taken.fencingToken()));
				assertThat(taken.isHeld()).isTrue();
			}
			assertThat(new Checker(Duration.ZERO, Duration.ZERO).violationsIn(history)).isEmpty();
			this.scenario.count("stopped between check and write, write refused");
		}
		return null;
	}

}
