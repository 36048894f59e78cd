package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import io.github.consullock.FaultyProxy;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.faults.History.Held;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Instances that contend for one key, half of them waiting and half trying all the time,
 * while the sessions of its holders are ended by others, or expire since nothing is heard
 * of them: nobody gets it before lock-delay is over.
 */
@Tag("faults")
@ConsulTest
@Timeout(3600)
class LockDelayTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final int CONTENDERS = 8;

	/** Shorter than is safe, so that much happens in little time. */
	private static final Duration LOCK_DELAY = Duration.ofSeconds(1);

	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withAllowUnsafe(true)
		.withTimes(Duration.ofSeconds(10), LOCK_DELAY);

	private final URI consul;

	private final String prefix;

	private final ConsulClient observer;

	private final History history = new History();

	private final BlockingQueue<Holding> holdings = new LinkedBlockingQueue<>();

	private final List<Contender> contenders = new ArrayList<>();

	LockDelayTests(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul.httpUri();
		this.prefix = prefix.value();
		this.observer = new PatientClient(this.consul);
	}

	@AfterEach
	void stop() throws InterruptedException {
		for (Contender contender : this.contenders) {
			contender.stop();
		}
		this.observer.close();
	}

	@Test
	void nobodyAcquiresWithinLockDelay() throws Exception {
		Scenario scenario = new Scenario("8 sessions of holders destroyed and expired, 8 contenders");
		for (int i = 0; i < CONTENDERS; i++) {
			this.contenders.add(new Contender(i));
		}
		int destroyed = Scenario.times(8, 470);
		int expired = Scenario.times(1, 30);
		for (int i = 0; i < destroyed; i++) {
			Holding holding = next();
			String session = this.observer.read(holding.handle().key(), LONG).orElseThrow().session();
			assertThat(session).isNotNull();
			long sentAt = System.nanoTime();
			this.observer.destroySession(session);
			sessionEnded(holding, sentAt);
			scenario.count("sessions destroyed");
			holding.ended().get(LONG.toSeconds(), TimeUnit.SECONDS);
			scenario.measured("told of it", Duration.ofNanos(System.nanoTime() - sentAt));
		}
		for (int i = 0; i < expired; i++) {
			Holding holding = next();
			String session = this.observer.read(holding.handle().key(), LONG).orElseThrow().session();
			holding.by().cutOff();
			long lastSeen = System.nanoTime();
			for (long now = lastSeen; this.observer.sessionInfo(String.valueOf(session), LONG)
				.isPresent(); now = System.nanoTime()) {
				lastSeen = now;
				Thread.sleep(20);
			}
			sessionEnded(holding, lastSeen);
			scenario.count("sessions expired");
			holding.ended().get(LONG.toSeconds(), TimeUnit.SECONDS);
			this.contenders.add(new Contender(CONTENDERS + i));
		}
		Holding last = next();
		assertThat(last.handle().isHeld()).isTrue();
		scenario.end();
		assertThat(scenario.counted("sessions destroyed") + scenario.counted("sessions expired"))
			.isEqualTo(destroyed + expired);
		assertThat(new Checker(LOCK_DELAY, LONG).violationsIn(this.history)).isEmpty();
	}

	/**
	 * That is the end of the hold as well: with a lock-delay below the TTL nobody
	 * promises that its holder knows of it in time.
	 */
	private void sessionEnded(Holding holding, long notBefore) {
		holding.held().endsAt(notBefore);
		this.history.sessionEnded(holding.held().key(), holding.held().token(), notBefore);
	}

	private Holding next() throws InterruptedException {
		Holding holding = this.holdings.poll(LONG.toSeconds(), TimeUnit.SECONDS);
		assertThat(holding).isNotNull();
		return holding;
	}

	/**
	 * A hold that somebody is to end.
	 *
	 * @param handle its handle
	 * @param held what the history says of it
	 * @param by who has it
	 * @param ended completed once its holder knows of its end
	 */
	private record Holding(LockHandle handle, Held held, Contender by, CompletableFuture<Void> ended) {
	}

	/** Acquires the lock, keeps it until it is lost, and does so again. */
	private final class Contender {

		private final String name;

		private final boolean patient;

		private final FaultyProxy proxy;

		private final ConsulClient client;

		private final ConsulLockRegistry registry;

		private final Thread thread;

		private volatile boolean stopped;

		Contender(int number) throws Exception {
			this.name = "contender-" + number;
			this.patient = number % 2 == 0;
			this.proxy = new FaultyProxy(LockDelayTests.this.consul);
			this.client = HttpConsulClient.builder(this.proxy.uri()).build();
			this.registry = ConsulLockRegistry.builder(this.client)
				.keyPrefix(LockDelayTests.this.prefix)
				.session(SETTINGS)
				.shutdownTimeout(Duration.ZERO)
				.build();
			this.thread = new Thread(this::run, this.name);
			this.thread.start();
		}

		private void run() {
			while (!this.stopped) {
				try {
					LockHandle handle = this.patient ? this.registry.obtain("a").acquire(LONG) : insist();
					Held held = LockDelayTests.this.history.acquired(this.name, handle);
					CompletableFuture<Void> ended = new CompletableFuture<>();
					handle.onLost((reason) -> ended.complete(null));
					LockDelayTests.this.holdings.add(new Holding(handle, held, this, ended));
					ended.join();
				}
				catch (LockException | IllegalStateException | InterruptedException ex) {
					// Cut off, or closed.
					if (!this.stopped) {
						Thread.yield();
					}
				}
			}
		}

		/** Tries all the time, so that an attempt is on its way when a session ends. */
		private LockHandle insist() throws InterruptedException {
			while (true) {
				Optional<LockHandle> handle = this.registry.obtain("a").tryAcquire(Duration.ZERO);
				if (handle.isPresent()) {
					return handle.get();
				}
				Thread.sleep(2);
			}
		}

		/** From now on it hears nothing of Consul, and Consul nothing of it. */
		void cutOff() {
			this.stopped = true;
			this.proxy.fallSilent();
		}

		void stop() throws InterruptedException {
			this.stopped = true;
			this.proxy.close();
			this.registry.close();
			this.client.close();
			this.thread.join(LONG.toMillis());
		}

	}

}
