package io.github.consullock.lock;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockListener;
import io.github.consullock.LockOptions;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What a close waits for, and what it leaves.
 */
class RegistryCloseTests extends HookedInstances {

	private static final Duration LONG = Duration.ofSeconds(30);

	private volatile boolean closeWaited;

	@Test
	void aLockThatIsWonWhileTheRegistryClosesIsGivenToNobody() {
		ConsulLockRegistry registry = hooked();
		LockHandle neverReleased = registry.obtain("held").acquire();
		CountDownLatch shutDown = new CountDownLatch(1);
		neverReleased.onLost((reason) -> shutDown.countDown());
		CountDownLatch answered = new CountDownLatch(1);
		this.client.after(HookedClient.ACQUIRE, () -> {
			answered.countDown();
			quickly().until(() -> shutDown.getCount() == 0);
		});
		CompletableFuture<Optional<LockHandle>> late = CompletableFuture
			.supplyAsync(() -> registry.obtain("a").tryAcquire(LONG));
		await().until(() -> answered.getCount() == 0);
		registry.close();
		assertThat(late.join()).isEmpty();
		assertThat(this.events.stream().filter("acquired"::equals)).hasSize(2);
		assertThat(this.events.stream().filter((event) -> event.equals("lost") || event.equals("released"))).hasSize(2);
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void aCloseWaitsForARequestUnderWaySoThatItsKeyIsNotLeftToLockDelay() {
		ConsulLockRegistry registry = safe();
		registry.obtain("warm-up").acquire().close();
		Thread closing = new Thread(registry::close);
		this.client.after(HookedClient.ACQUIRE, () -> waitFor(closing));
		assertThat(registry.obtain("a").tryAcquire(LONG)).isEmpty();
		assertIsLeftFree("a", closing);
	}

	@Test
	void aCloseWaitsForAReleaseUnderWay() {
		ConsulLockRegistry registry = safe();
		LockHandle handle = registry.obtain("a").acquire();
		Thread closing = new Thread(registry::close);
		this.client.before(HookedClient.RELEASE, () -> waitFor(closing));
		assertThat(handle.release()).isTrue();
		assertIsLeftFree("a", closing);
	}

	@Test
	void aCloseWaitsUntilAnInterruptedAttemptIsSettled() {
		ConsulLockRegistry registry = safe();
		registry.obtain("warm-up").acquire().close();
		Thread closing = new Thread(registry::close);
		this.client.after(HookedClient.ACQUIRE, () -> {
			this.client.before(HookedClient.RELEASE, () -> waitFor(closing));
			Thread.currentThread().interrupt();
			throw new ConsulUnavailableException("Interrupted");
		});
		assertThatExceptionOfType(LockInterruptedException.class)
			.isThrownBy(() -> registry.obtain("a").tryAcquire(LONG));
		assertThat(Thread.interrupted()).isTrue();
		assertIsLeftFree("a", closing);
	}

	@Test
	void aSecondCloseWaitsForTheFirst() throws Exception {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.shutdownTimeout(LONG));
		LockHandle handle = registry.obtain("a").acquire();
		Thread first = new Thread(registry::close);
		waitFor(first);
		Thread second = new Thread(registry::close);
		second.start();
		await().until(() -> second.getState() == Thread.State.WAITING);
		assertThat(handle.release()).isTrue();
		second.join();
		assertThat(first.getState()).isIn(Thread.State.RUNNABLE, Thread.State.TERMINATED);
		first.join();
	}

	@Test
	void aRegistryThatWaitsForEverForItsHoldersCanBeClosed() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.shutdownTimeout(LockOptions.FOREVER));
		registry.obtain("a").acquire().close();
		registry.close();
		assertThat(this.instances.hasSessions()).isFalse();
	}

	@Test
	void aHoldThatAListenerReleasedIsNotWaitedFor() {
		ConsulLockRegistry registry = this.instances
			.start((builder) -> builder.shutdownTimeout(LockOptions.FOREVER).listener(new LockListener() {
				@Override
				public void acquired(LockHandle handle, Duration waited) {
					if (handle.key().endsWith("/a")) {
						handle.release();
					}
				}
			}));
		Instances.warmUp(registry);
		assertThat(registry.obtain("a").tryAcquire(Duration.ZERO)).isEmpty();
		registry.close();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void aCallbackThatClosesTheRegistryIsNotInterrupted() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle handle = registry.obtain("a").acquire();
		CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
		handle.onLost((reason) -> {
			registry.close();
			interrupted.complete(Thread.currentThread().isInterrupted());
		});
		this.instances.destroySessionOf("a");
		assertThat(interrupted.join()).isFalse();
	}

	private ConsulLockRegistry safe() {
		return this.instances.start(this.client, (builder) -> builder.session(Instances.SAFE));
	}

	/** Until the close is in the middle of its wait. */
	private void waitFor(Thread closing) {
		closing.start();
		quickly().until(() -> Instances.isWaitingIn(Outstanding.class, closing));
		this.closeWaited = true;
	}

	/** For what a close does not wait for long. */
	private static ConditionFactory quickly() {
		return await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1));
	}

	/** Had the session been destroyed first, lock-delay would keep it. */
	private void assertIsLeftFree(String key, Thread closing) {
		ConsulLockRegistry other = Instances.warmUp(this.instances.start());
		await().until(() -> closing.getState() == Thread.State.TERMINATED);
		assertThat(this.closeWaited).isTrue();
		assertThat(other.obtain(key).tryAcquire(Duration.ZERO)).isPresent();
	}

}
