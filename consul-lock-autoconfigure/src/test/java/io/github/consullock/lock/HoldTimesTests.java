package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * The shortest and the longest time for which a lock is held.
 */
class HoldTimesTests extends HookedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void aLockThatIsHeldForTooLongIsLostAndStillKeepsOthersOutUntilItsHolderEnds() throws Exception {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.session(Instances.SAFE));
		LockOptions options = LockOptions.builder("a").maxHold(Duration.ofMillis(300)).build();
		LockHandle handle = registry.obtain(options).acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost(told::complete);
		assertThat(told.join()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED);
		assertThat(handle.isHeld()).isFalse();
		assertThat(handle.remaining()).isZero();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::ensureHeld)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED));
		ConsulLock other = Instances.warmUp(this.instances.start()).obtain("a");
		assertThat(other.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(handle.release()).isFalse();
		other.acquire().close();
	}

	@Test
	void aHolderThatDoesNotEndKeepsOthersOutForLockDelayOnly() {
		ConsulLockRegistry registry = this.instances.start();
		LockOptions options = LockOptions.builder("a").maxHold(Duration.ofMillis(200)).build();
		LockHandle handle = registry.obtain(options).acquire();
		// Without lock-delay, that is at once.
		LockHandle next = registry.obtain("a").acquire(LONG);
		assertThat(next.fencingToken()).isGreaterThan(handle.fencingToken());
		assertThat(handle.release()).isFalse();
		assertThat(next.isHeld()).isTrue();
		next.close();
	}

	@Test
	void aReleaseThatTakesEffectLaterFindsALossAtOnce() {
		LockOptions options = LockOptions.builder("a").holdAtLeast(Duration.ofHours(1)).build();
		LockHandle handle = hooked().obtain(options).acquire();
		this.instances.request("DELETE", "/v1/kv/" + this.instances.prefix() + "a", "");
		assertThat(handle.release()).isFalse();
		await().untilAsserted(() -> assertThat(this.events).containsExactly("acquired", "lost"));
	}

	@Test
	void aLockThatIsReleasedBeforeItsLimitIsNotLost() {
		ConsulLockRegistry registry = hooked();
		LockOptions options = LockOptions.builder("a").maxHold(Duration.ofMillis(200)).build();
		LockHandle handle = registry.obtain(options).acquire();
		handle.onLost((reason) -> this.events.add("told " + reason));
		assertThat(handle.release()).isTrue();
		LockHandle next = registry.obtain("a").acquire();
		await().pollDelay(Duration.ofMillis(400)).until(next::isHeld);
		assertThat(this.events).noneMatch((event) -> event.startsWith("told") || event.startsWith("lost"));
		next.close();
	}

	@Test
	void aLockThatIsReleasedEarlyKeepsOthersOutUntilItsTimeIsOver() {
		ConsulLockRegistry registry = hooked();
		LockOptions options = LockOptions.builder("a").holdAtLeast(Duration.ofSeconds(3)).build();
		long start = System.nanoTime();
		LockHandle handle = registry.obtain(options).acquire();
		assertThat(handle.release()).isTrue();
		assertThat(handle.isHeld()).isFalse();
		assertThat(registry.heldLocks()).isEmpty();
		LockHandle here = registry.obtain("a").acquire(LONG);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(3));
		here.close();
		LockHandle again = registry.obtain(options).acquire();
		long acquired = System.nanoTime();
		again.close();
		this.instances.start().obtain("a").acquire(LONG).close();
		assertThat(Duration.ofNanos(System.nanoTime() - acquired)).isGreaterThan(Duration.ofMillis(2500));
	}

	@Test
	void aLockThatComesTooLateForItsCallerKeepsNobodyOut() throws Exception {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		CountDownLatch acquired = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		this.client.after(HookedClient.ACQUIRE, () -> {
			acquired.countDown();
			await().until(() -> cancelled.getCount() == 0);
		});
		CompletableFuture<LockHandle> future = registry
			.obtain(LockOptions.builder("a").holdAtLeast(Duration.ofHours(1)).build())
			.acquireAsync();
		acquired.await();
		future.cancel(true);
		cancelled.countDown();
		this.instances.start().obtain("a").acquire(LONG).close();
	}

	@Test
	void aLockThatIsHeldForLongEnoughIsReleasedAtOnce() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtain(LockOptions.builder("a").holdAtLeast(Duration.ofMillis(1)).build())
			.acquire();
		await().pollDelay(Duration.ofMillis(5)).until(() -> true);
		handle.close();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void aCloseOfTheRegistryDoesNotWaitForThatTime() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.session(Instances.SAFE));
		registry.obtain(LockOptions.builder("a").holdAtLeast(Duration.ofHours(1)).build()).acquire().close();
		registry.close();
		// Released, and not left to the end of its session, with lock-delay.
		assertThat(this.instances.entry("a")).isNull();
		Instances.warmUp(this.instances.start()).obtain("a").acquire(Duration.ZERO).close();
	}

	@Test
	void timesThatContradictEachOtherAreRefused() {
		LockOptions.Builder options = LockOptions.builder("a");
		assertThatIllegalArgumentException().isThrownBy(() -> options.maxHold(Duration.ZERO).build());
		assertThatIllegalArgumentException()
			.isThrownBy(() -> options.maxHold(Duration.ofSeconds(1)).holdAtLeast(Duration.ofSeconds(2)).build())
			.withMessageContaining("longer than");
		assertThatIllegalArgumentException().isThrownBy(() -> options.holdAtLeast(Duration.ofSeconds(-2)).build());
	}

}
