package io.github.consullock.lock;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * When the watch of a hold begins and ends, and what is kept of it.
 */
class HoldMonitorTests {

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.consul).build();

	private final Background background = new Background();

	private final KeyWatches watches = new KeyWatches(this.consul, this.background, new Semaphore(10));

	private final HoldMonitor monitor = new HoldMonitor(new LockProtocol(this.consul), this.watches, this.background,
			(session) -> false);

	@AfterEach
	void close() {
		this.watches.close();
		this.background.close();
		this.registry.heldLocks().forEach(LockHandle::release);
		this.registry.close();
		this.consul.close();
	}

	private Hold hold(String key) {
		return (Hold) this.registry.obtain(key).acquire();
	}

	@Test
	void aHoldThatBeginsWhenAllOthersAreWatchedIsWatchedToo() {
		Hold first = hold("a");
		this.monitor.begin(first);
		await().until(() -> this.watches.size() == 1);
		Hold second = hold("b");
		this.monitor.begin(second);
		await().until(() -> this.watches.size() == 2);
		this.monitor.end(first);
		this.monitor.end(second);
		assertThat(this.watches.size()).isZero();
	}

	@Test
	void holdsThatBeginWhileOthersComeToBeWatchedAreAllWatched() {
		List<Hold> holds = new ArrayList<>();
		for (int i = 0; this.watches.size() < 3; i++) {
			// So that they do not become very many.
			LockSupport.parkNanos(500_000);
			Hold next = hold("k" + i);
			holds.add(next);
			this.monitor.begin(next);
		}
		await().until(() -> this.watches.size() == holds.size());
		holds.forEach(this.monitor::end);
		assertThat(this.watches.size()).isZero();
	}

	@Test
	void aHoldThatEndsBeforeItIsMonitoredIsNotMonitored() {
		Hold ended = hold("a");
		ended.release();
		this.monitor.end(ended);
		this.monitor.begin(ended);
		Hold held = hold("b");
		this.monitor.begin(held);
		await().until(() -> this.watches.size() > 0);
		assertThat(this.watches.size()).isEqualTo(1);
		this.monitor.end(held);
		assertThat(this.watches.size()).isZero();
	}

	@Test
	void shortHoldsWakeNoThread() {
		int pairs = 2000;
		hold("a").release();
		long before = waitsOfTimers();
		for (int i = 0; i < pairs; i++) {
			Hold hold = hold("a");
			this.monitor.begin(hold);
			this.monitor.end(hold);
			hold.release();
		}
		assertThat(waitsOfTimers() - before).isLessThan(pairs / 20);
	}

	@Test
	void whatAWatchTellsOfAnEntryThatIsKnownIsNotKept() {
		Hold hold = hold("a");
		LockEntries known = hold.entries();
		KvEntry read = this.consul.read(hold.key(), Duration.ofSeconds(1)).orElseThrow();
		assertThat(known.with(hold.key(), new KvSnapshot(read.modifyIndex() + 5, read))).isSameAs(known);
		KvEntry free = new KvEntry(read.key(), read.value(), read.flags(), null, read.createIndex(),
				read.modifyIndex());
		assertThat(known.with(hold.key(), new KvSnapshot(read.modifyIndex() + 5, free)).token(hold.claimant()))
			.isZero();
	}

	private static long waitsOfTimers() {
		return Stream.of(ManagementFactory.getThreadMXBean().dumpAllThreads(false, false))
			.filter((thread) -> thread.getThreadName().startsWith("consul-lock-timer-"))
			.mapToLong(ThreadInfo::getWaitedCount)
			.sum();
	}

}
