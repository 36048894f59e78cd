package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.github.consullock.LockHandle;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

@ConsulTest
class ReadWriteContentionTests {

	private static final Duration LONG = Duration.ofMinutes(5);

	private static final Duration ATTEMPT = Duration.ofSeconds(2);

	private static final int INSTANCES = 3;

	private static final int THREADS = 15;

	private Instances instances;

	private final List<ConsulReadWriteLock> locks = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		for (int i = 0; i < INSTANCES; i++) {
			this.locks.add(Instances.warmUp(this.instances.start()).readWriteLock("a"));
		}
	}

	@AfterEach
	void stop() {
		this.threads.shutdownNow();
		this.instances.close();
	}

	@Test
	void readersAndWritersOfSeveralInstancesNeverMeetAndTokensRise() throws Exception {
		AtomicInteger readers = new AtomicInteger();
		AtomicInteger writers = new AtomicInteger();
		AtomicInteger mostReaders = new AtomicInteger();
		AtomicInteger written = new AtomicInteger();
		// The greatest token of all that have entered, and of the writers among them.
		AtomicLong greatest = new AtomicLong();
		AtomicLong greatestWriter = new AtomicLong();
		Queue<String> violations = new ConcurrentLinkedQueue<>();
		run(THREADS, 20, (lock, random) -> {
			if (random.nextInt(4) > 0) {
				try (LockHandle handle = lock.readLock().acquire(LONG)) {
					mostReaders.accumulateAndGet(readers.incrementAndGet(), Math::max);
					check(writers.get() == 0, "a writer beside a reader", violations);
					check(handle.fencingToken() > greatestWriter.get(), "a reader's token", violations);
					greatest.accumulateAndGet(handle.fencingToken(), Math::max);
					LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(5)));
					handle.ensureHeld();
					check(writers.get() == 0, "a writer beside a reader", violations);
					readers.decrementAndGet();
				}
			}
			else {
				try (LockHandle handle = lock.writeLock().acquire(LONG)) {
					check(writers.incrementAndGet() == 1, "two writers", violations);
					check(readers.get() == 0, "a reader beside a writer", violations);
					check(handle.fencingToken() > greatest.get(), "a writer's token", violations);
					greatest.set(handle.fencingToken());
					greatestWriter.set(handle.fencingToken());
					LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(3)));
					handle.ensureHeld();
					check(readers.get() == 0, "a reader beside a writer", violations);
					written.incrementAndGet();
					writers.decrementAndGet();
				}
			}
		});
		assertThat(violations).isEmpty();
		assertThat(mostReaders.get()).isGreaterThan(1);
		assertThat(written.get()).isPositive();
		assertNothingIsLeft();
	}

	@Test
	void aReaderThatTriesOnceAmongReadersEntersHoweverManyThereAre() throws Exception {
		AtomicInteger inVain = new AtomicInteger();
		run(2 * INSTANCES, 20, (lock, random) -> {
			long start = System.nanoTime();
			lock.readLock().tryAcquire(Duration.ZERO).ifPresentOrElse(LockHandle::close, () -> {
				// So long it tries; on a machine that pauses it may not get far.
				if (System.nanoTime() - start < ATTEMPT.toNanos()) {
					inVain.incrementAndGet();
				}
			});
		});
		assertThat(inVain).hasValue(0);
		assertNothingIsLeft();
	}

	@Test
	void neitherAStreamOfReadersNorOneOfWritersStarvesTheOther() throws Exception {
		for (boolean reading : new boolean[] { true, false }) {
			AtomicBoolean over = new AtomicBoolean();
			AtomicInteger streamed = new AtomicInteger();
			List<Future<?>> stream = new ArrayList<>();
			for (int i = 0; i < INSTANCES; i++) {
				ConsulReadWriteLock lock = this.locks.get(i);
				for (int j = 0; j < 3; j++) {
					stream.add(this.threads.submit(() -> {
						while (!over.get()) {
							try (LockHandle handle = (reading ? lock.readLock() : lock.writeLock()).acquire(LONG)) {
								streamed.incrementAndGet();
								LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
								handle.ensureHeld();
							}
						}
					}));
				}
			}
			await().until(() -> streamed.get() > 10);
			ConsulReadWriteLock other = this.instances.start().readWriteLock("a");
			for (int i = 0; i < 5; i++) {
				(reading ? other.writeLock() : other.readLock()).acquire(LONG).close();
			}
			over.set(true);
			for (Future<?> future : stream) {
				future.get(5, TimeUnit.MINUTES);
			}
		}
		assertNothingIsLeft();
	}

	private void run(int count, int rounds, Round round) throws Exception {
		List<Future<?>> all = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			ConsulReadWriteLock lock = this.locks.get(i % INSTANCES);
			Random random = new Random(i);
			all.add(this.threads.submit(() -> {
				for (int j = 0; j < rounds; j++) {
					round.go(lock, random);
				}
			}));
		}
		for (Future<?> future : all) {
			future.get(8, TimeUnit.MINUTES);
		}
	}

	private static void check(boolean condition, String violation, Queue<String> violations) {
		if (!condition) {
			violations.add(violation);
		}
	}

	private void assertNothingIsLeft() {
		await().untilAsserted(() -> {
			assertThat(this.instances.entry("a")).isNull();
			assertThat(this.instances.observer.list(this.instances.prefix() + ".consul-lock/rw/")).isEmpty();
		});
	}

	@FunctionalInterface
	private interface Round {

		void go(ConsulReadWriteLock lock, Random random);

	}

}
