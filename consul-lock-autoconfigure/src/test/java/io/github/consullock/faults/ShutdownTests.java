package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.OtherProcess;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The end of an instance that holds locks and waits for others: closed, asked to end, and
 * killed.
 */
@Tag("faults")
@ConsulTest
@Timeout(1800)
class ShutdownTests {

	private static final Duration LONG = LockProcess.LONG;

	private final int heldKeys = Scenario.times(20, 100);

	private final int waitedKeys = Scenario.times(10, 50);

	private final URI consul;

	private final String prefix;

	private final ConsulClient observer;

	private final ConsulLockRegistry other;

	private final List<LockHandle> inTheWay = new ArrayList<>();

	ShutdownTests(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul.httpUri();
		this.prefix = prefix.value();
		this.observer = new PatientClient(this.consul);
		this.other = LockProcess.registry(this.observer, this.prefix);
	}

	@AfterEach
	void stop() {
		this.other.close();
		this.observer.close();
	}

	@Test
	void closeLeavesNothing() throws Exception {
		ends("close()", (process) -> assertThat(process.ask("close")).isEqualTo("closed"));
		assertNothingIsLeft();
	}

	@Test
	void sigtermLeavesNothing() throws Exception {
		ends("SIGTERM", OtherProcess::terminate);
		assertNothingIsLeft();
	}

	@Test
	void killLeavesLocksForTheTimeThatIsPromisedAndNoLonger() throws Exception {
		ends("kill -9", OtherProcess::kill);
		// Whoever comes next sweeps what the dead have left.
		ConsulLockRegistry next = LockProcess.registry(this.observer, this.prefix);
		next.obtain("next").acquire().close();
		next.close();
		assertNothingIsLeft();
	}

	private void ends(String how, End end) throws Exception {
		Scenario scenario = new Scenario(
				"12 " + how + " with " + this.heldKeys + " held, " + this.waitedKeys + " waited for");
		for (int round = 0; round < Scenario.times(1, 5); round++) {
			try (OtherProcess process = LockProcess.start(this.consul, this.prefix)) {
				for (int i = 0; i < this.waitedKeys; i++) {
					this.inTheWay.add(this.other.obtain("waited" + i).acquire());
					assertThat(process.ask("wait waited" + i)).isEqualTo("waiting");
				}
				for (int i = 0; i < this.heldKeys; i++) {
					process.ask("hold held" + i);
				}
				assertThat(heldNow()).isEqualTo(this.heldKeys);
				long start = System.nanoTime();
				end.of(process);
				await().pollDelay(Duration.ZERO)
					.pollInterval(Duration.ofMillis(20))
					.atMost(LONG)
					.until(() -> heldNow() == 0);
				LockHandle first = this.other.obtain("held0").acquire();
				scenario.measured("free", Duration.ofNanos(System.nanoTime() - start));
				first.close();
				for (int i = 1; i < this.heldKeys; i++) {
					this.other.obtain("held" + i).acquire().close();
				}
				// What the other waited for, nobody but this one has had.
				assertThat(this.inTheWay).allMatch(LockHandle::isHeld);
				this.inTheWay.forEach(LockHandle::close);
				this.inTheWay.clear();
				scenario.count("times");
			}
		}
		scenario.end();
	}

	private long heldNow() {
		return this.observer.list(this.prefix + "held", LONG)
			.stream()
			.map(KvEntry::session)
			.filter((session) -> session != null)
			.count();
	}

	private void assertNothingIsLeft() {
		this.other.close();
		await().atMost(LONG).untilAsserted(() -> assertThat(this.observer.list(this.prefix, LONG)).isEmpty());
	}

	/** How a process ends. */
	private interface End {

		void of(OtherProcess process) throws Exception;

	}

}
