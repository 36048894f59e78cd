package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.session.SessionSettings;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * What the tests of Consul's Go client ask of {@code api.Semaphore}, asked of this
 * library. The long outage is in {@link GoLockOutcomesTests}.
 */
class GoSemaphoreOutcomesTests extends ProxiedInstances {

	@Test
	void aPermitIsHeldUntilItIsReleasedAndThenOnce() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 1);
		LockHandle permit = semaphore.acquire();
		assertThat(permit.isHeld()).isTrue();
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(permit.release()).isTrue();
		assertThat(permit.isHeld()).isFalse();
		LockHandle next = semaphore.acquire();
		// The first one's second release is not the next one's first.
		permit.release();
		assertThat(next.isHeld()).isTrue();
		assertThat(semaphore.holders()).hasSize(1);
		assertThat(next.release()).isTrue();
		assertThat(semaphore.holders()).isEmpty();
	}

	@Test
	void aPermitIsLostWithItsSession() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		LockHandle permit = semaphore.acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		this.instances.observer.destroySession(semaphore.holders().get(0).session());
		await().until(() -> told.get() == LockLostReason.SESSION_INVALIDATED);
		assertThat(permit.release()).isFalse();
		assertThat(semaphore.acquire().release()).isTrue();
	}

	@Test
	void aPermitIsLostWhenAllIsDeleted() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		LockHandle permit = semaphore.acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		this.instances.request("DELETE", "/v1/kv/" + semaphore.key() + "/?recurse", "");
		await().until(() -> told.get() != null);
		assertThat(told).hasValue(LockLostReason.KEY_DELETED);
		assertThat(permit.release()).isFalse();
		assertThat(semaphore.acquire().release()).isTrue();
	}

	@Test
	void fourContendersForTwoPermitsEachGetTheirTurn() {
		Set<Integer> acquired = ConcurrentHashMap.newKeySet();
		List<CompletableFuture<Void>> contenders = new ArrayList<>();
		ExecutorService threads = Executors.newFixedThreadPool(4);
		try {
			for (int i = 0; i < 4; i++) {
				int contender = i;
				ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
				contenders.add(CompletableFuture.runAsync(() -> {
					try (LockHandle permit = semaphore.acquire()) {
						permit.ensureHeld();
						acquired.add(contender);
					}
				}, threads));
			}
			contenders.forEach(CompletableFuture::join);
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(acquired).hasSize(4);
	}

	@Test
	void aLimitBelowOneIsRefusedAndSoIsAnotherThanThatOfTheOthers() {
		ConsulLockRegistry registry = this.instances.start();
		assertThatIllegalArgumentException().isThrownBy(() -> registry.semaphore("a", 0)).withMessageContaining("0");
		LockHandle permit = registry.semaphore("a", 1).acquire();
		assertThatExceptionOfType(LockConflictException.class)
			.isThrownBy(this.instances.start().semaphore("a", 2)::acquire)
			.withMessageContaining("a")
			.withMessageMatching("(?s).*\\b1\\b.*")
			.withMessageMatching("(?s).*\\b2\\b.*");
		assertThat(permit.release()).isTrue();
	}

	@Test
	void whatSomebodyHoldsIsNotDestroyedAndWhatNobodyHoldsIsAsOftenAsOneLikes() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		semaphore.destroy();
		LockHandle one = semaphore.acquire();
		LockHandle two = this.instances.start().semaphore("a", 2).acquire();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(semaphore::destroy);
		assertThat(one.release()).isTrue();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(semaphore::destroy);
		assertThat(two.isHeld()).isTrue();
		assertThat(two.release()).isTrue();
		semaphore.destroy();
		assertThat(this.instances.observer.list(semaphore.key() + "/")).isEmpty();
		semaphore.destroy();
	}

	@Test
	void aLockIsNotTakenForASemaphoreNorTheOtherWayRound() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain("a/.lock");
		ConsulSemaphore semaphore = registry.semaphore("a", 2);
		LockHandle held = lock.acquire();
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(semaphore::acquire);
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(semaphore::destroy);
		assertThat(held.release()).isTrue();
		LockHandle permit = semaphore.acquire();
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::acquire);
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::destroy);
		assertThat(permit.release()).isTrue();
	}

	@Test
	void aShortOutageIsSurvived() {
		SessionSettings brief = Instances.WITHOUT_LOCK_DELAY.withName(this.instances.prefix())
			.withTimes(Duration.ofSeconds(10), Duration.ZERO);
		ConsulSemaphore semaphore = this.instances.start(this.proxy.uri(), (builder) -> builder.session(brief))
			.semaphore("a", 2);
		LockHandle permit = semaphore.acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		int before = this.proxy.requests().size();
		this.proxy.refuse((request) -> true);
		await().until(() -> this.proxy.requests()
			.stream()
			.skip(before)
			.anyMatch((request) -> request.path().startsWith("/v1/session/renew/")));
		this.proxy.refuse((request) -> false);
		assertThat(permit.isHeld()).isTrue();
		assertThat(told).hasValue(null);
		this.instances.request("DELETE", "/v1/kv/" + semaphore.key() + "/?recurse", "");
		await().until(() -> told.get() == LockLostReason.KEY_DELETED);
	}

	@Test
	void oneShotTakesWhatIsFreeAndWaitsNoLongerThanItIsTold() {
		LockHandle one = startWithSession().semaphore("a", 2).acquire(Duration.ZERO);
		LockHandle two = startWithSession().semaphore("a", 2).acquire(Duration.ZERO);
		ConsulSemaphore third = startWithSession().semaphore("a", 2);
		assertThat(third.tryAcquire(Duration.ZERO)).isEmpty();
		long start = System.nanoTime();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> third.acquire(Duration.ofMillis(250)));
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(250));
		assertThat(two.release()).isTrue();
		LockHandle next = third.acquire();
		assertThat(next.isHeld()).isTrue();
		assertThat(one.release()).isTrue();
		assertThat(next.release()).isTrue();
	}

	/** With a session for a permit, which is another than that for locks. */
	private ConsulLockRegistry startWithSession() {
		ConsulLockRegistry registry = this.instances.start();
		registry.semaphore("warm-up", 1).acquire().close();
		return registry;
	}

}
