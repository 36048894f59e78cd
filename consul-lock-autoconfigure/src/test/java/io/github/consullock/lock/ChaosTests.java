package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Waits that run out, interrupts, requests that fail and sessions that end, all at once
 * and at random moments: afterwards every hold has begun and ended once, nothing is kept,
 * and every key can be taken.
 */
@ConsulTest
class ChaosTests {

	private static final int THREADS = 12;

	private static final int ROUNDS = 80;

	private static final List<String> KEYS = List.of("a", "b", "c");

	private final AtomicInteger begun = new AtomicInteger();

	private final AtomicInteger ended = new AtomicInteger();

	private final ConcurrentMap<String, String> holders = new ConcurrentHashMap<>();

	private final ConcurrentMap<String, Long> tokens = new ConcurrentHashMap<>();

	private final List<String> violations = new CopyOnWriteArrayList<>();

	@ParameterizedTest
	@ValueSource(booleans = { false, true })
	void whateverHappensNothingIsLeftBehind(boolean sessionsEnd, ConsulServer consul, KeyPrefix prefix)
			throws Exception {
		try (Instances instances = new Instances(consul.httpUri(), prefix.value())) {
			List<DefaultLockRegistry> registries = new ArrayList<>();
			for (int i = 0; i < 2; i++) {
				HookedClient client = new HookedClient(new PatientClient(consul.httpUri()));
				Random random = new Random(i);
				client.alwaysAfter(() -> {
					if (random.nextInt(20) == 0) {
						throw (random.nextBoolean()) ? new ConsulUnavailableException("chaos")
								: new IllegalStateException("chaos");
					}
				});
				registries
					.add((DefaultLockRegistry) instances.start(client, (builder) -> builder.listener(new Counter())));
			}
			List<Thread> threads = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				int seed = i;
				Thread thread = new Thread(() -> work(registries.get(seed % 2), new Random(seed), !sessionsEnd));
				threads.add(thread);
				thread.start();
			}
			Random random = new Random();
			while (threads.stream().anyMatch(Thread::isAlive)) {
				threads.get(random.nextInt(THREADS)).interrupt();
				if (sessionsEnd && random.nextInt(5) == 0) {
					KvEntry entry = instances.entry("a");
					if (entry != null && entry.session() != null) {
						instances.observer.destroySession(entry.session());
					}
				}
				threads.get(random.nextInt(THREADS)).join(10);
			}
			assertThat(this.violations).isEmpty();
			for (DefaultLockRegistry registry : registries) {
				await().untilAsserted(() -> assertThat(registry.trackedKeys()).isZero());
				assertThat(registry.heldLocks()).isEmpty();
			}
			assertThat(this.begun).hasPositiveValue();
			// A hold that was handed to somebody who had left is released in the
			// background.
			await().untilAsserted(() -> assertThat(this.ended).hasValue(this.begun.get()));
			for (String key : KEYS) {
				try (LockHandle handle = instances.start()
					.obtain(key)
					.tryAcquire(Duration.ofMinutes(1))
					.orElseThrow()) {
					assertThat(handle.isHeld()).isTrue();
				}
			}
		}
	}

	private void work(DefaultLockRegistry registry, Random random, boolean exclusive) {
		String me = Thread.currentThread().getName();
		for (int i = 0; i < ROUNDS; i++) {
			String key = KEYS.get(random.nextInt(KEYS.size()));
			try {
				LockHandle handle = registry.obtain(key)
					.tryAcquire(Duration.ofMillis(random.nextInt(5) * 20))
					.orElse(null);
				if (handle != null) {
					String other = this.holders.put(key, me);
					if (exclusive && other != null) {
						this.violations.add(key + " held by " + me + " and " + other);
					}
					Long before = this.tokens.put(key, handle.fencingToken());
					if (exclusive && before != null && before >= handle.fencingToken()) {
						this.violations.add(key + " held with " + handle.fencingToken() + " after " + before);
					}
					LockSupport.parkNanos(random.nextInt(3) * 3_000_000L);
					this.holders.remove(key, me);
					handle.close();
				}
			}
			catch (LockException | IllegalStateException ex) {
				// What it was asked for.
			}
			Thread.interrupted();
		}
	}

	private final class Counter implements LockListener {

		@Override
		public void acquired(LockHandle handle, Duration waited) {
			ChaosTests.this.begun.incrementAndGet();
		}

		@Override
		public void lost(LockHandle handle, LockLostReason reason) {
			ChaosTests.this.ended.incrementAndGet();
		}

		@Override
		public void released(LockHandle handle, Duration held) {
			ChaosTests.this.ended.incrementAndGet();
		}

		@Override
		public void handedOver(LockHandle handle, Duration held) {
			ChaosTests.this.ended.incrementAndGet();
		}

	}

}
