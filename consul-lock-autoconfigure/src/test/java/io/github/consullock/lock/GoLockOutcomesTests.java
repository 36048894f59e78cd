package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.FaultyProxy;
import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.session.SessionSettings;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What the tests of Consul's Go client ask of {@code api.Lock}, asked of this library.
 * Its forced invalidation is {@link ConsulLockTests}'
 * {@code anEndedSessionEndsItsHoldsAndTellsEachOnce}, and more contenders than its three
 * are in {@link ContentionTests}.
 */
@SuppressWarnings("LockNotBeforeTry") // Locks are what is tested here.
class GoLockOutcomesTests extends ProxiedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final long SEMAPHORE_FLAGS = Long.parseUnsignedLong("16210313421097356768");

	@Test
	void whatIsNotHeldCannotBeUnlockedWhatIsHeldNotAcquiredAndAReleaseIsOne() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain("a");
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
		LockHandle handle = lock.acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		handle.onLost(told::set);
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> lock.acquire(Duration.ZERO));
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
		assertThat(handle.isHeld()).isFalse();
		LockHandle next = lock.acquire();
		// The first one's second release is not the next one's first.
		handle.release();
		assertThat(next.isHeld()).isTrue();
		assertThat(this.instances.entry("a")).isNotNull();
		assertThat(next.release()).isTrue();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
		// Go tells of a release as of a loss; here it is none.
		assertThat(told).hasValue(null);
	}

	@Test
	void aDeletedKeyIsNoticedTimeAndAgainAndTheSameLockTakenAnewWithoutCeremony() {
		ConsulLock lock = this.instances.start().obtain("a");
		long token = 0;
		for (int i = 0; i < 10; i++) {
			LockHandle handle = lock.acquire();
			assertThat(handle.fencingToken()).isGreaterThan(token);
			token = handle.fencingToken();
			this.instances.request("DELETE", "/v1/kv/" + handle.key(), "");
			await().until(() -> !handle.isHeld());
			// Not even released.
		}
		assertThat(lock.acquire().release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void threeContendersEachGetTheirTurn() {
		Set<Integer> acquired = ConcurrentHashMap.newKeySet();
		List<CompletableFuture<Void>> contenders = new ArrayList<>();
		ExecutorService threads = Executors.newFixedThreadPool(3);
		try {
			for (int i = 0; i < 3; i++) {
				int contender = i;
				ConsulLock lock = this.instances.start().obtain("a");
				contenders.add(CompletableFuture.runAsync(() -> {
					try (LockHandle handle = lock.acquire()) {
						handle.ensureHeld();
						acquired.add(contender);
					}
				}, threads));
			}
			contenders.forEach(CompletableFuture::join);
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(acquired).hasSize(3);
	}

	@Test
	void whatIsHeldIsNotDestroyedWhoeverHoldsItAndWhatIsFreeIsAsOftenAsOneLikes() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.deleteOnRelease(false));
		ConsulLock lock = registry.obtain("a");
		lock.destroy();
		LockHandle handle = lock.acquire();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(lock::destroy).withMessageContaining(lock.key());
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
		LockHandle other = this.instances.start((builder) -> builder.deleteOnRelease(false)).obtain("a").acquire();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(lock::destroy).withMessageContaining(lock.key());
		assertThat(other.release()).isTrue();
		assertThat(this.instances.entry("a")).isNotNull();
		lock.destroy();
		assertThat(this.instances.entry("a")).isNull();
		lock.destroy();
	}

	@Test
	void theSessionThatHoldsALockTakesItAgainAtOnceAndBothSeeItsRelease() {
		String session = this.instances.observer.createSession(new SessionRequest(this.instances.prefix(),
				Duration.ofSeconds(30), Duration.ZERO, SessionBehavior.RELEASE, List.of(), List.of()));
		LockOptions options = LockOptions.builder("a").session(session).tryOnce(true).build();
		LockHandle first = this.instances.start().obtain(options).acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		first.onLost(told::set);
		LockHandle second = this.instances.start().obtain(options).acquire();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(second.release()).isTrue();
		await().until(() -> told.get() != null);
		assertThat(first.isHeld()).isFalse();
		this.instances.observer.destroySession(session);
	}

	@Test
	void aSemaphoreIsNotTakenForALock() {
		String key = this.instances.prefix() + "a/.lock";
		this.instances.request("PUT", "/v1/kv/" + key + "?flags=" + Long.toUnsignedString(SEMAPHORE_FLAGS),
				"{\"Limit\":2,\"Holders\":{}}");
		ConsulLock lock = this.instances.start().obtain("a/.lock");
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::acquire)
			.withMessageContaining(key)
			.withMessageContaining(Long.toUnsignedString(SEMAPHORE_FLAGS));
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::destroy).withMessageContaining(key);
		assertThat(this.instances.entry("a/.lock").value()).isEqualTo("{\"Limit\":2,\"Holders\":{}}");
	}

	@Test
	void aShortOutageIsSurvivedAndTheLockIsWatchedOnAfterwards() {
		LockHandle handle = this.instances.start(this.proxy.uri(), (builder) -> builder).obtain("a").acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		handle.onLost(told::set);
		await().until(() -> this.proxy.requests().stream().anyMatch((request) -> isWatch(request, handle)));
		this.proxy.refuse((request) -> true);
		int before = this.proxy.requests().size();
		// Wakes the watch, as anything about the entry would.
		this.instances.request("PUT", "/v1/kv/" + handle.key(), "somebody's");
		await().until(() -> {
			List<FaultyProxy.Request> requests = this.proxy.requests();
			requests = requests.subList(before, requests.size());
			return requests.stream().anyMatch((request) -> isWatch(request, handle))
					&& requests.stream().anyMatch((request) -> request.path().startsWith("/v1/session/renew/"));
		});
		this.proxy.refuse((request) -> false);
		assertThat(handle.isHeld()).isTrue();
		assertThat(told).hasValue(null);
		this.instances.request("DELETE", "/v1/kv/" + handle.key(), "");
		await().until(() -> told.get() == LockLostReason.KEY_DELETED);
	}

	@Test
	void aLongOutageIsALossOfLocksAndPermitsAndBothCanBeTakenAnewAfterIt() {
		SessionSettings brief = new SessionSettings(this.instances.prefix(), Duration.ofSeconds(10), Duration.ZERO,
				SessionBehavior.RELEASE, List.of(), List.of(), Duration.ofMillis(2500), true);
		ConsulLockRegistry registry = this.instances.start(this.proxy.uri(), (builder) -> builder.session(brief));
		ConsulLock lock = registry.obtain("a");
		ConsulSemaphore semaphore = registry.semaphore("pool", 2);
		LockHandle handle = lock.acquire();
		LockHandle permit = semaphore.acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handle.onLost(told::add);
		permit.onLost(told::add);
		this.proxy.refuse((request) -> true);
		await().until(() -> told.size() == 2);
		assertThat(told).containsOnly(LockLostReason.DEADLINE_PASSED);
		assertThat(handle.isHeld()).isFalse();
		assertThat(permit.isHeld()).isFalse();
		this.proxy.refuse((request) -> false);
		assertThat(semaphore.acquire().release()).isTrue();
		LockHandle next = lock.acquire();
		assertThat(next.fencingToken()).isGreaterThan(handle.fencingToken());
		assertThat(next.release()).isTrue();
	}

	private static boolean isWatch(FaultyProxy.Request request, LockHandle handle) {
		return request.method().equals("GET") && request.isAbout(handle.key()) && request.path().contains("wait=");
	}

	@Test
	void oneShotTakesWhatIsFreeAndWaitsNoLongerThanItIsTold() {
		LockOptions oneShot = LockOptions.builder("a").tryOnce(true).build();
		LockHandle handle = Instances.warmUp(this.instances.start()).obtain(oneShot).acquire();
		ConsulLockRegistry contender = Instances.warmUp(this.instances.start());
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(contender.obtain(oneShot)::acquire)
			.withMessageContaining("at the first try");
		LockOptions brief = LockOptions.builder("a").waitTime(Duration.ofMillis(250)).build();
		long start = System.nanoTime();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(contender.obtain(brief)::acquire)
			.withMessageContaining("0.25 s");
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(250))
			.isLessThan(LONG);
		handle.close();
		LockHandle next = contender.obtain(oneShot).acquire();
		assertThat(next.isHeld()).isTrue();
		next.close();
	}

}
