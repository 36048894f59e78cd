package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Waits that run out, interrupts, requests that fail and sessions that end, all at once
 * and at random moments: afterwards every hold has begun and ended once, nothing is kept,
 * and every key can be taken.
 */
@ConsulTest
class ChaosTests {

	private static final int ROUNDS = 80;

	private static final List<String> KEYS = List.of("a", "b", "c");

	private final Chaos chaos = new Chaos();

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
				ConsulClient client = Chaos.unreliable(new PatientClient(consul.httpUri()), new Random(i));
				registries
					.add((DefaultLockRegistry) instances.start(client, (builder) -> builder.listener(this.chaos)));
			}
			Chaos.run((thread) -> work(registries.get(thread % 2), new Random(thread), !sessionsEnd), () -> {
				KvEntry entry = sessionsEnd ? instances.entry("a") : null;
				if (entry != null && entry.session() != null) {
					instances.observer.destroySession(entry.session());
				}
			});
			assertThat(this.violations).isEmpty();
			this.chaos.awaitNothingKept(registries);
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

}
