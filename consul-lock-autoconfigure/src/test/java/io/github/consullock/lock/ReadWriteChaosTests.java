package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Read-write locks while waits run out, threads are interrupted, answers are lost and
 * sessions end, all at once and at random moments: nobody ever meets whom it must not,
 * and afterwards nothing is left.
 */
class ReadWriteChaosTests {

	private static final int ROUNDS = 80;

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final Chaos chaos = new Chaos();

	private final AtomicInteger readers = new AtomicInteger();

	private final AtomicInteger writers = new AtomicInteger();

	private final List<String> violations = new CopyOnWriteArrayList<>();

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void whateverHappensNothingIsLeftBehind(boolean sessionsEnd) throws Exception {
		List<DefaultLockRegistry> registries = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			registries.add(start(Chaos.unreliable(this.consul.newClient(), new Random(i))));
		}
		Chaos.run((thread) -> work(registries.get(thread % 3), new Random(thread), !sessionsEnd), () -> {
			if (sessionsEnd) {
				members().stream()
					.map(KvEntry::session)
					.filter((session) -> session != null)
					.findAny()
					.ifPresent(this.consul::destroySession);
			}
		});
		assertThat(this.violations).isEmpty();
		this.chaos.awaitNothingKept(registries);
		if (sessionsEnd) {
			// What the ended sessions have left goes with the next who writes.
			try (ConsulLockRegistry next = start(this.consul.newClient())) {
				next.readWriteLock("a").writeLock().acquire(Duration.ofMinutes(1)).close();
			}
		}
		await().untilAsserted(() -> assertThat(this.consul.list("locks/a")).isEmpty());
		await().untilAsserted(() -> assertThat(members()).isEmpty());
		registries.forEach(DefaultLockRegistry::close);
		assertThat(this.consul.list("")).isEmpty();
	}

	private DefaultLockRegistry start(ConsulClient client) {
		return (DefaultLockRegistry) ConsulLockRegistry.builder(client)
			.keyPrefix("locks/")
			.session(Instances.WITHOUT_LOCK_DELAY)
			.shutdownTimeout(Duration.ZERO)
			.listener(this.chaos)
			.build();
	}

	private void work(ConsulLockRegistry registry, Random random, boolean exclusive) {
		ConsulReadWriteLock lock = registry.readWriteLock("a");
		for (int i = 0; i < ROUNDS; i++) {
			boolean reading = random.nextInt(3) > 0;
			try {
				LockHandle handle = (reading ? lock.readLock() : lock.writeLock())
					.tryAcquire(Duration.ofMillis(random.nextInt(5) * 20))
					.orElse(null);
				if (handle != null) {
					AtomicInteger mine = reading ? this.readers : this.writers;
					mine.incrementAndGet();
					int reads = this.readers.get();
					int writes = this.writers.get();
					if (exclusive && (writes > 1 || (reading ? writes : reads) > 0)) {
						this.violations.add(reads + " readers, " + writes + " writers");
					}
					LockSupport.parkNanos(random.nextInt(3) * 3_000_000L);
					mine.decrementAndGet();
					handle.close();
				}
			}
			catch (LockException | IllegalStateException ex) {
				// What it was asked for.
			}
			Thread.interrupted();
		}
	}

	private List<KvEntry> members() {
		return this.consul.list("locks/.consul-lock/rw/");
	}

}
