package io.github.consullock.faults;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

import io.github.consullock.FaultyProxy;
import io.github.consullock.FaultyProxy.Fault;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.faults.History.Held;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Instances that acquire and release a few keys, each over a slow network of its own, and
 * at random all that can go wrong between them and Consul.
 */
@Tag("faults")
@Timeout(3600)
class MixTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final int INSTANCES = 6;

	private static final int KEYS = 8;

	private static final List<Fault> FAULTS = List.of(Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.RESET, Fault.STALL,
			Fault.HOLD_BACK, Fault.DUPLICATE);

	/** Other orders each time; what went wrong is in the history. */
	private final Random random = new Random();

	private final History history = new History();

	private final Scenario scenario = new Scenario("12 random mix");

	private final FencedStore store = new FencedStore();

	private final AtomicReference<Throwable> failure = new AtomicReference<>();

	private volatile boolean stopped;

	@Test
	void whateverHappensNoTwoHoldOneKeyAndNothingIsLeft() throws Exception {
		List<Instance> instances = new ArrayList<>();
		try (ConsulServer consul = ConsulServer.start(); ConsulClient observer = new PatientClient(consul.httpUri())) {
			for (int i = 0; i < INSTANCES; i++) {
				instances.add(new Instance("instance-" + i, consul));
			}
			long end = System.nanoTime() + Duration.ofSeconds(Scenario.times(20, 30 * 60)).toNanos();
			while (System.nanoTime() < end && this.failure.get() == null) {
				Thread.sleep(200 + this.random.nextInt(800));
				goWrong(instances.get(this.random.nextInt(INSTANCES)), consul, observer);
			}
			this.stopped = true;
			for (Instance instance : instances) {
				instance.stop();
			}
			assertThat(this.failure.get()).isNull();
			assertThat(new Checker(Duration.ZERO, LONG).violationsIn(this.history)).isEmpty();
			assertThat(this.scenario.counted("holds")).isPositive();
			// The dead of queues are swept by whoever comes next.
			ConsulLockRegistry next = LockProcess.registry(observer, "locks/");
			for (int key = 0; key < KEYS; key++) {
				next.obtain("k" + key).acquire(LONG).close();
			}
			next.close();
			await().atMost(LONG).untilAsserted(() -> assertThat(observer.list("locks/", LONG)).isEmpty());
		}
		this.scenario.end();
	}

	private void goWrong(Instance instance, ConsulServer consul, ConsulClient observer) throws Exception {
		switch (this.random.nextInt(12)) {
			case 0 -> destroySession(observer);
			case 1 -> {
				consul.pause();
				Thread.sleep(2000 + this.random.nextInt(Scenario.times(1, 6000)));
				consul.resume();
				this.scenario.count("pauses of Consul");
			}
			case 2 -> {
				instance.proxy.deliverLate();
				this.scenario.count("late deliveries");
			}
			default -> {
				instance.proxy.next(any(), FAULTS.get(this.random.nextInt(FAULTS.size())));
				this.scenario.count("faults of messages");
			}
		}
	}

	/** Of whoever holds a key just now. */
	private void destroySession(ConsulClient observer) {
		for (KvEntry entry : observer.list("locks/k", LONG)) {
			if (entry.session() != null) {
				observer.destroySession(entry.session());
				this.scenario.count("sessions destroyed");
				return;
			}
		}
	}

	private Predicate<Request> any() {
		return switch (this.random.nextInt(4)) {
			case 0 -> Request::isTransaction;
			case 1 -> (request) -> request.path().startsWith("/v1/session/");
			case 2 -> (request) -> request.contains("delete-cas");
			default -> (request) -> true;
		};
	}

	/** What a database does that keeps the token beside the data. */
	private final class FencedStore {

		private final Map<String, Long> newest = new HashMap<>();

		private final ReentrantLock lock = new ReentrantLock();

		void write(String key, long token) {
			this.lock.lock();
			try {
				boolean accepted = token >= this.newest.getOrDefault(key, 0L);
				if (accepted) {
					this.newest.put(key, token);
				}
				MixTests.this.history.wrote(key, token, accepted);
			}
			finally {
				this.lock.unlock();
			}
		}

	}

	/** Acquires keys and releases them. */
	private final class Instance {

		private final String name;

		private final FaultyProxy proxy;

		private final ConsulClient client;

		private final ConsulLockRegistry registry;

		private final List<Thread> threads = new ArrayList<>();

		Instance(String name, ConsulServer consul) throws IOException {
			this.name = name;
			this.proxy = new FaultyProxy(consul.httpUri());
			this.proxy.slowDown(Duration.ofMillis(10));
			this.client = HttpConsulClient.builder(this.proxy.uri()).build();
			this.registry = LockProcess.registry(this.client, "locks/");
			for (int i = 0; i < 2; i++) {
				Thread thread = new Thread(() -> run(new Random()), name + "-" + i);
				thread.start();
				this.threads.add(thread);
			}
		}

		private void run(Random random) {
			while (!MixTests.this.stopped) {
				String key = "k" + random.nextInt(KEYS);
				try {
					Optional<LockHandle> acquired = this.registry.obtain(key)
						.tryAcquire(Duration.ofMillis(random.nextInt(3000)));
					if (acquired.isPresent()) {
						hold(acquired.get(), random.nextInt(30));
					}
				}
				catch (LockException ex) {
					MixTests.this.scenario.count("calls that failed");
				}
				catch (InterruptedException | RuntimeException | Error ex) {
					MixTests.this.failure.compareAndSet(null, ex);
				}
			}
		}

		private void hold(LockHandle handle, int millis) throws InterruptedException {
			try (handle) {
				Held held = MixTests.this.history.acquired(this.name, handle);
				handle.onLost((reason) -> held.ends());
				Thread.sleep(millis);
				if (handle.isHeld()) {
					MixTests.this.store.write(handle.key(), handle.fencingToken());
				}
				held.ends();
				MixTests.this.scenario.count("holds");
			}
		}

		void stop() throws InterruptedException {
			for (Thread thread : this.threads) {
				thread.join(LONG.toMillis());
				assertThat(thread.isAlive()).as(thread.getName()).isFalse();
			}
			this.registry.close();
			this.client.close();
			this.proxy.close();
		}

	}

}
