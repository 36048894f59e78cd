package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import io.github.consullock.ForwardingClient;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.faults.History.Held;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/** A lock that is held throughout, and one that changes hands all the time. */
final class Load implements AutoCloseable {

	private static final Duration LONG = Duration.ofMinutes(3);

	private final ConsulClient client;

	private final ConsulLockRegistry registry;

	private final ConsulLockRegistry other;

	private final History history;

	private final Scenario scenario;

	private final LockHandle held;

	private final Held recorded;

	private final AtomicReference<Throwable> failure = new AtomicReference<>();

	private final Thread[] threads = new Thread[2];

	private volatile boolean stopped;

	/**
	 * Begins a load.
	 * @param consul where its clients find Consul
	 */
	Load(URI consul, SessionSettings settings, History history, Scenario scenario) {
		this.client = new TimedClient(HttpConsulClient.builder(consul).build(), scenario);
		this.history = history;
		this.registry = registry(this.client, settings);
		this.other = registry(this.client, settings);
		this.scenario = scenario;
		this.held = this.registry.obtain("held").acquire(LONG);
		this.recorded = this.history.acquired("holder", this.held);
		this.threads[0] = start("one", this.registry);
		this.threads[1] = start("two", this.other);
	}

	private static ConsulLockRegistry registry(ConsulClient client, SessionSettings settings) {
		return ConsulLockRegistry.builder(client)
			.session(settings)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	private Thread start(String name, ConsulLockRegistry by) {
		Thread thread = new Thread(() -> {
			while (!this.stopped) {
				try {
					LockHandle handle = by.obtain("busy").acquire(LONG);
					Held busy = this.history.acquired(name, handle);
					busy.ends();
					handle.close();
					this.scenario.count("acquisitions");
					Thread.sleep(20);
				}
				catch (LockException | IllegalStateException | InterruptedException ex) {
					if (!this.stopped) {
						this.failure.compareAndSet(null, ex);
						return;
					}
				}
			}
		}, name);
		thread.start();
		return thread;
	}

	/** The locks go on being acquired. */
	void awaitMore() {
		long before = this.scenario.counted("acquisitions");
		await().atMost(LONG)
			.until(() -> this.scenario.counted("acquisitions") > before + 10 || this.failure.get() != null);
		assertThat(this.failure.get()).isNull();
	}

	void assertHeld() {
		assertThat(this.held.isHeld()).isTrue();
	}

	/** Ends it in order. */
	void end() throws InterruptedException {
		this.stopped = true;
		for (Thread thread : this.threads) {
			thread.join(LONG.toMillis());
		}
		assertThat(this.failure.get()).isNull();
		assertHeld();
		this.recorded.ends();
		assertThat(this.held.release()).isTrue();
	}

	@Override
	public void close() {
		this.stopped = true;
		this.registry.close();
		this.other.close();
		this.client.close();
	}

	/** Notes by how much calls take longer than they may. */
	private static final class TimedClient extends ForwardingClient {

		private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);

		private final Scenario scenario;

		TimedClient(ConsulClient client, Scenario scenario) {
			super(client);
			this.scenario = scenario;
		}

		@Override
		public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
			return timed(timeout, () -> super.transact(operations, timeout));
		}

		@Override
		public Optional<KvEntry> read(String key, Duration timeout) {
			return timed(timeout, () -> super.read(key, timeout));
		}

		private <T> T timed(Duration timeout, Supplier<T> call) {
			long start = System.nanoTime();
			try {
				return call.get();
			}
			finally {
				Duration most = (timeout.compareTo(READ_TIMEOUT) < 0) ? timeout : READ_TIMEOUT;
				Duration over = Duration.ofNanos(System.nanoTime() - start).minus(most);
				if (!over.isNegative()) {
					this.scenario.measured("calls over their timeout", over);
				}
			}
		}

	}

}
