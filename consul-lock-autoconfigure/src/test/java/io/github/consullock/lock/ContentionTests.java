package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

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
class ContentionTests {

	private static final int THREADS = 200;

	private static final int ROUNDS = 2000;

	private Instances instances;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void manyThreadsOfTwoInstancesHoldAKeyOneAtATimeWithRisingTokens() throws Exception {
		List<ConsulLockRegistry> registries = List.of(this.instances.start(), this.instances.start());
		AtomicInteger inside = new AtomicInteger();
		AtomicInteger overlaps = new AtomicInteger();
		AtomicInteger rounds = new AtomicInteger();
		Set<Thread> before = registryThreads();
		// Written by holders only: in the order of their holds.
		Queue<Long> tokens = new ConcurrentLinkedQueue<>();
		AtomicIntegerArray holdsOf = new AtomicIntegerArray(2);
		ExecutorService threads = Executors.newFixedThreadPool(THREADS);
		try {
			List<Future<?>> all = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				int instance = i % 2;
				all.add(threads.submit(() -> {
					// Each instance has its turn, but nobody can say when.
					while (rounds.getAndIncrement() < ROUNDS || holdsOf.get(0) == 0 || holdsOf.get(1) == 0) {
						try (LockHandle handle = registries.get(instance)
							.obtain("one")
							.tryAcquire(Duration.ofMinutes(5))
							.orElseThrow()) {
							if (inside.incrementAndGet() != 1) {
								overlaps.incrementAndGet();
							}
							handle.ensureHeld();
							if (holdsOf.get(instance) % 8 == 0) {
								// Long enough for somebody else to be seen.
								LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200));
							}
							tokens.add(handle.fencingToken());
							holdsOf.incrementAndGet(instance);
							inside.decrementAndGet();
						}
					}
				}));
			}
			for (Future<?> future : all) {
				future.get(8, TimeUnit.MINUTES);
			}
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(overlaps).hasValue(0);
		assertThat(List.copyOf(tokens)).hasSizeGreaterThanOrEqualTo(ROUNDS)
			.hasSize(holdsOf.get(0) + holdsOf.get(1))
			.isSorted()
			.doesNotHaveDuplicates();
		assertThat(this.instances.entry("one")).isNull();
		for (ConsulLockRegistry registry : registries) {
			assertThat(registry.heldLocks()).isEmpty();
			registry.close();
		}
		assertThat(this.instances.hasSessions()).isFalse();
		assertThat(this.instances.entries()).isEmpty();
		// Some other test's application may have a registry that is open.
		await().untilAsserted(() -> assertThat(before).containsAll(registryThreads()));
	}

	@Test
	void aThousandKeysLeaveNothingBehind() {
		ConsulLockRegistry registry = this.instances.start();
		for (int i = 0; i < 1000; i++) {
			registry.obtain("many/" + i).acquire().close();
		}
		assertThat(((DefaultLockRegistry) registry).trackedKeys()).isZero();
		assertThat(this.instances.observer.list(this.instances.prefix() + "many/")).isEmpty();
	}

	private static Set<Thread> registryThreads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().startsWith("consul-lock-"))
			.collect(Collectors.toSet());
	}

}
