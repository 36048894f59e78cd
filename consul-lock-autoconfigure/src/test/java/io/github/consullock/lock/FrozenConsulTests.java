package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.PauseMeter;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What happens while Consul keeps its connections open and says nothing.
 */
class FrozenConsulTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** With a margin in which a busy machine has time to run the thread that is told. */
	private static final SessionSettings WIDE_MARGIN = new SessionSettings("frozen", Duration.ofSeconds(10),
			Duration.ofSeconds(10), SessionBehavior.RELEASE, List.of(), List.of(), Duration.ofMillis(2500), false);

	private ConsulServer consul;

	private Instances instances;

	@BeforeEach
	void start() {
		this.consul = ConsulServer.start();
		this.instances = new Instances(this.consul.httpUri(), "frozen/");
	}

	@AfterEach
	void stop() {
		this.consul.resume();
		this.instances.close();
		this.consul.close();
	}

	/** With the timeouts that requests really have. */
	private ConsulLockRegistry start(SessionSettings settings) {
		return this.instances.start(HttpConsulClient.builder(this.consul.httpUri()).build(),
				(builder) -> builder.session(settings));
	}

	@Test
	void aHolderIsToldWithinTheTtl() {
		LockHandle handle = start(WIDE_MARGIN).obtain("a").tryAcquire(LONG).orElseThrow();
		CompletableFuture<Long> toldAt = new CompletableFuture<>();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost((reason) -> {
			toldAt.complete(System.nanoTime());
			told.complete(reason);
		});
		try (PauseMeter meter = new PauseMeter()) {
			this.consul.pause();
			long pausedAt = System.nanoTime();
			assertThat(told.join()).isEqualTo(LockLostReason.DEADLINE_PASSED);
			// The last renewal that can have succeeded was sent before the pause.
			assertThat(Duration.ofNanos(toldAt.join() - pausedAt)).isLessThan(WIDE_MARGIN.ttl().plus(meter.paused()));
		}
		assertThat(handle.isHeld()).isFalse();
		this.consul.resume();
		assertThat(handle.release()).isFalse();
	}

	@Test
	void waitingEndsWithTheWaitTimeAndSaysThatConsulDoesNotAnswer() {
		ConsulLockRegistry registry = start(Instances.WITHOUT_LOCK_DELAY);
		registry.obtain("warm-up").acquire().close();
		this.consul.pause();
		for (Duration waitTime : new Duration[] { Duration.ZERO, Duration.ofMillis(300), Duration.ofSeconds(1) }) {
			long start = System.nanoTime();
			assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> registry.obtain("a" + waitTime).tryAcquire(waitTime))
				.withMessageContaining("consul.lock.connection.url");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(waitTime)
				.isLessThan(waitTime.plusSeconds(10));
		}
		this.consul.resume();
		try (LockHandle handle = registry.obtain("a").tryAcquire(LONG).orElseThrow()) {
			assertThat(handle.isHeld()).isTrue();
		}
	}

	@Test
	void aReleaseThatGetsNoAnswerGoesOnUntilTheLockIsFree() {
		ConsulLockRegistry registry = start(Instances.WITHOUT_LOCK_DELAY);
		ConsulLockRegistry other = start(Instances.WITHOUT_LOCK_DELAY);
		other.obtain("warm-up").acquire().close();
		LockHandle handle = registry.obtain("a").acquire();
		this.consul.pause();
		assertThat(handle.release()).isTrue();
		this.consul.resume();
		try (LockHandle next = other.obtain("a").tryAcquire(LONG).orElseThrow()) {
			assertThat(next.fencingToken()).isGreaterThan(handle.fencingToken());
		}
		try (LockHandle next = registry.obtain("a").tryAcquire(LONG).orElseThrow()) {
			assertThat(next.isHeld()).isTrue();
		}
	}

	@Test
	void anOutageShorterThanTheDeadlineEndsNothing() {
		ConsulLockRegistry registry = start(SessionSettings.DEFAULTS);
		LockHandle handle = registry.obtain("a").acquire();
		long before = handle.remaining().toMillis();
		this.consul.pause();
		// Until no renewal has come through for a while, which remaining() shows.
		await().atMost(LONG).until(() -> handle.remaining().toMillis() < before - 3000 || !handle.isHeld());
		this.consul.resume();
		await().atMost(LONG).until(() -> handle.remaining().toMillis() > before - 2500 || !handle.isHeld());
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
	}

}
