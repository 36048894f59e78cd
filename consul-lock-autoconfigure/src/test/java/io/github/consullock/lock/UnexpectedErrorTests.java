package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.consul.KvOperation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What is left after an error that nobody expects, such as a lack of memory.
 */
@ExtendWith(OutputCaptureExtension.class)
class UnexpectedErrorTests extends HookedInstances {

	private static final Duration LONG = Duration.ofSeconds(30);

	@Test
	void aReleaseThatFailsUnexpectedlyLeavesNothing() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtain("a").acquire();
		this.client.before(HookedClient.RELEASE, () -> {
			throw new IllegalStateException("unexpected");
		});
		handle.close();
		LockHandle next = registry.obtain("a").tryAcquire(LONG).orElseThrow();
		this.client.before(HookedClient.RELEASE, () -> {
			this.client.before(HookedClient.RELEASE, () -> {
				throw new IllegalStateException("unexpected while settling");
			});
			throw new IllegalStateException("unexpected");
		});
		next.close();
		registry.obtain("a").tryAcquire(LONG).orElseThrow().close();
		assertThat(this.client.isDone()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
		assertThat(this.events).filteredOn((event) -> !event.equals("waiting"))
			.containsExactly("acquired", "released", "acquired", "released", "acquired", "released");
	}

	@Test
	void aReleaseThatConsulDoesNotAnswerIsLogged(CapturedOutput output) {
		LockHandle handle = hooked().obtain("a").acquire();
		this.client.before(HookedClient.RELEASE, () -> {
			throw new ConsulUnavailableException("No answer");
		});
		assertThat(handle.release()).isTrue();
		assertThat(output).contains("Consul does not answer to the release of the lock '" + handle.key() + "'")
			.contains("No answer");
		await().until(() -> this.instances.entry("a") == null);
	}

	@Test
	void whoGetsNoAnswerIsToldForWhichLockAndThatItIsTriedAgain(CapturedOutput output) {
		ConsulLockRegistry registry = hooked();
		registry.obtain("warm-up").acquire().close();
		String key = this.instances.prefix() + "a";
		this.client.alwaysBefore(() -> {
			throw new ConsulUnavailableException("No answer");
		});
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> registry.obtain("a").tryAcquire(Duration.ofSeconds(1)))
			.withMessage("The lock '" + key + "' was not acquired: No answer");
		assertThat(output).containsOnlyOnce("Cannot acquire the lock '" + key + "' now, trying again for ");
		this.client.alwaysBefore(() -> {
			throw new ConsulRefusedException("Permission denied");
		});
		await().untilAsserted(() -> assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> registry.obtain("b").tryAcquire(Duration.ZERO))
			.withMessageContaining("b' was not acquired: Permission denied"));
		this.client.alwaysBefore(() -> {
		});
	}

	@Test
	void anErrorWhileALockIsSettledLeavesItNotHeld() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtain("a").acquire();
		this.client.before(HookedClient.RELEASE, () -> {
			this.client.before(HookedClient.RELEASE, () -> {
				throw new LinkageError("Thrown by the test");
			});
			throw new ConsulUnavailableException("No answer");
		});
		assertThat(handle.release()).isTrue();
		await().until(() -> this.instances.entry("a") == null);
		assertThat(this.client.isDone()).isTrue();
	}

	@Test
	void anEntryThatWasLeftBehindIsNotTakenForAnAcquisitionWhoseAnswerIsLost() {
		ConsulLockRegistry registry = hooked();
		LockHandle other = registry.obtain("other").acquire();
		String session = this.instances.entry("other").session();
		this.instances.observer.transact(
				List.of(KvOperation.lock(this.instances.prefix() + "a", session, "left behind", LockFlags.LOCK)), LONG);
		long before = this.instances.entry("a").modifyIndex();
		this.client.before(HookedClient.TAKE_OVER, () -> {
			throw new ConsulUnavailableException("No answer");
		});
		LockHandle handle = registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(this.client.isDone()).isTrue();
		assertThat(handle.fencingToken()).isGreaterThan(before);
		handle.close();
		other.close();
	}

	@Test
	void anErrorInAWatchDoesNotEndIt() {
		this.client.beforeNextWatch(() -> {
			throw new LinkageError("Thrown by the test");
		});
		LockHandle handle = hooked().obtain("a").acquire();
		await().until(this.client::isDone);
		this.instances.request("DELETE", "/v1/kv/" + handle.key(), "");
		await().until(() -> !handle.isHeld());
	}

	@Test
	void anErrorOnceTheLockIsHandedOnLeavesItToTheNext() {
		ConsulLockRegistry registry = this.instances.start(this.client,
				(builder) -> builder.listener(new LockListener() {
					@Override
					public void handedOver(LockHandle handle, Duration held) {
						throw new IllegalStateException("Thrown by the test");
					}
				}));
		LockHandle first = registry.obtain("a").acquire();
		CompletableFuture<LockHandle> next = registry.obtain("a").acquireAsync(LONG);
		Logger logger = (Logger) LoggerFactory.getLogger(Listeners.class);
		AppenderBase<ILoggingEvent> failing = new AppenderBase<>() {
			@Override
			protected void append(ILoggingEvent event) {
				throw new LinkageError("Thrown by the test");
			}
		};
		failing.start();
		logger.addAppender(failing);
		try {
			assertThatExceptionOfType(LinkageError.class).isThrownBy(first::release);
		}
		finally {
			logger.detachAppender(failing);
		}
		LockHandle second = next.join();
		await().during(Duration.ofMillis(500))
			.until(() -> second.isHeld() && this.instances.entry("a").modifyIndex() == second.fencingToken());
		assertThat(second.release()).isTrue();
	}

}
