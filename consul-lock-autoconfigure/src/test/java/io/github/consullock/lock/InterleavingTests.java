package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ForwardingClient;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What happens between a request and what follows from its answer.
 */
class InterleavingTests extends HookedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void aReleaseThatFindsTheLockDeletedTellsItsHolder() {
		LockHandle handle = hooked().obtain("a").acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handle.onLost(told::add);
		this.client.before(HookedClient.RELEASE, () -> this.instances.request("DELETE", "/v1/kv/" + handle.key(), ""));
		assertThat(handle.release()).isFalse();
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.KEY_DELETED));
		assertThat(this.events).containsExactly("acquired", "lost");
	}

	@Test
	void aCallbackRegisteredDuringAReleaseThatFindsTheLockLostIsCalled() {
		LockHandle handle = hooked().obtain("a").acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		this.client.before(HookedClient.RELEASE, () -> {
			this.instances.request("DELETE", "/v1/kv/" + handle.key(), "");
			handle.onLost(told::add);
		});
		assertThat(handle.release()).isFalse();
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.KEY_DELETED));
	}

	@Test
	void aReleaseThatFindsTheKeyReleasedByTheEndOfItsSessionTellsThat() {
		this.client.hideSessionEnds();
		LockHandle handle = hooked().obtain("a").acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handle.onLost(told::add);
		this.client.before(HookedClient.RELEASE, () -> this.instances.destroySessionOf("a"));
		assertThat(handle.release()).isFalse();
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.SESSION_INVALIDATED));
	}

	@Test
	void aKeyThatTheEndOfItsSessionReleasedIsToldAsThat() {
		this.client.hideSessionEnds();
		LockHandle handle = hooked().obtain("a").acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handle.onLost(told::add);
		this.instances.destroySessionOf("a");
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.SESSION_INVALIDATED));
	}

	@Test
	void whoWaitsBehindASettlementThatConsulRefusesLearnsOfTheRefusal() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtain("a").acquire();
		this.client.alwaysBefore(() -> {
			throw new ConsulRefusedException("Permission denied");
		});
		assertThat(handle.release()).isTrue();
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> registry.obtain("a").tryAcquire(Duration.ZERO))
			.withMessageContaining("Permission denied");
		this.client.alwaysBefore(() -> {
		});
		await().ignoreExceptionsInstanceOf(ConsulRefusedException.class)
			.until(() -> registry.obtain("a").tryAcquire(Duration.ZERO).map(LockHandle::release).isPresent());
	}

	@Test
	void aLockWhoseSessionEndsBeforeItsAnswerIsReadIsTakenAnew() {
		ConsulLockRegistry registry = hooked();
		LockHandle other = registry.obtain("other").acquire();
		this.client.after(HookedClient.ACQUIRE, () -> {
			this.instances.destroySessionOf("other");
			await().until(() -> !other.isHeld());
		});
		LockHandle handle = registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(this.client.isDone()).isTrue();
		await().untilAsserted(() -> assertThat(this.events.stream().filter("lost"::equals)).hasSize(2));
		assertThat(handle.release()).isTrue();
		assertThat(this.events.stream().filter((event) -> event.startsWith("acquired"))).hasSize(3);
		assertThat(this.events).endsWith("released");
	}

	@Test
	void aSingleAttemptOutlivesTheEndOfItsSession() {
		ConsulLockRegistry registry = hooked();
		LockHandle other = registry.obtain("other").acquire();
		this.client.before(HookedClient.ACQUIRE, () -> {
			this.instances.destroySessionOf("other");
			// Until the next one at the latest, whoever looks into it has found the end.
			this.client.before(HookedClient.ACQUIRE, () -> await().until(() -> !other.isHeld()));
		});
		Optional<LockHandle> handle = registry.obtain("a").tryAcquire(Duration.ZERO);
		assertThat(other.isHeld()).isFalse();
		assertThat(handle).hasValueSatisfying((taken) -> assertThat(taken.release()).isTrue());
	}

	@Test
	void aSingleAttemptInVainSaysWhoHoldsTheLock() {
		LockHandle held = this.instances.start((builder) -> builder.instanceName("orders-1")).obtain("a").acquire();
		ConsulLock once = Instances.warmUp(this.instances.start())
			.obtain(LockOptions.builder("a").waitTime(Duration.ZERO).build());
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(once::acquire)
			.withMessageContaining("orders-1");
		held.close();
	}

	@Test
	void whoIsTooLateForAPolledKeyAsksNoMoreThanBefore() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		LockHandle foreign = this.instances.start().obtain("foreign").acquire();
		String foreignSession = this.instances.entry("foreign").session();
		ConsulLockRegistry waiting = this.instances.start(this.client, (builder) -> builder.maxWatches(0));
		waiting.obtain("warm-up").acquire().close();
		CompletableFuture<Optional<LockHandle>> waiter = CompletableFuture
			.supplyAsync(() -> waiting.obtain("a").tryAcquire(LONG));
		AtomicInteger sent = new AtomicInteger();
		AtomicLong tooLateSince = new AtomicLong();
		await().until(() -> this.client.transactions() > 4);
		this.client.before(HookedClient.ACQUIRE, () -> {
			this.instances.observer
				.transact(List.of(KvOperation.lock(first.key(), foreignSession, "foreign", LockFlags.LOCK)), LONG);
			tooLateSince.set(System.nanoTime());
			sent.set(this.client.transactions());
		});
		// Not by its holder, who would hand it over.
		this.instances.observer.transact(List.of(KvOperation.delete(first.key())), LONG);
		await().until(this.client::isDone);
		await().until(() -> sent.get() > 0 && this.client.transactions() - sent.get() >= 8);
		// Nine a second, and one or two more at once.
		assertThat(Duration.ofNanos(System.nanoTime() - tooLateSince.get())).isGreaterThan(Duration.ofMillis(500));
		waiting.close();
		assertThat(waiter.join()).isEmpty();
		foreign.close();
	}

	@Test
	void anErrorOfAListenerReachesNoLock() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.listener(new LockListener() {
			@Override
			public void acquired(LockHandle handle, Duration waited) {
				throw new AssertionError("listener");
			}

			@Override
			public void lost(LockHandle handle, LockLostReason reason) {
				throw new AssertionError("listener");
			}
		}));
		List<LockHandle> handles = List.of(registry.obtain("a").acquire(), registry.obtain("b").acquire());
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handles.forEach((handle) -> handle.onLost(told::add));
		this.instances.destroySessionOf("a");
		await().untilAsserted(() -> assertThat(told).hasSize(2));
		registry.obtain("a").tryAcquire(LONG).orElseThrow().close();
		registry.obtain("b").tryAcquire(LONG).orElseThrow().close();
	}

	@Test
	void aWaitIsToldOnceWhereverItWaits() throws Exception {
		LockHandle held = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry registry = hooked();
		List<Thread> waiters = new ArrayList<>();
		for (int i = 1; i <= 2; i++) {
			int told = i;
			waiters.add(new Thread(() -> assertThatExceptionOfType(LockInterruptedException.class)
				.isThrownBy(() -> registry.obtain("a").tryAcquire(LONG))));
			waiters.get(i - 1).start();
			await().until(() -> this.events.size() == told);
		}
		for (Thread waiter : waiters) {
			// In front of the other, it waits for Consul.
			await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 2
					&& Instances.isWaitingIn(Wait.class, waiter));
			waiter.interrupt();
			waiter.join();
		}
		assertThat(this.events).containsExactly("waiting", "waiting", "not acquired", "not acquired");
		held.close();
	}

	@Test
	void aListenerThatBlocksKeepsNobodyFromANewSession() {
		CountDownLatch blocked = new CountDownLatch(1);
		CountDownLatch goOn = new CountDownLatch(1);
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.listener(new LockListener() {
			@Override
			public void lost(LockHandle handle, LockLostReason reason) {
				blocked.countDown();
				await().until(() -> goOn.getCount() == 0);
			}
		}));
		registry.obtain("a").acquire();
		this.instances.destroySessionOf("a");
		await().until(() -> blocked.getCount() == 0);
		Optional<LockHandle> other = registry.obtain("b").tryAcquire(Duration.ofSeconds(30));
		goOn.countDown();
		assertThat(other).hasValueSatisfying((handle) -> assertThat(handle.release()).isTrue());
	}

	@Test
	void aWatchThatIsAnsweredAtOnceAsksAtIntervals(ConsulServer consul) {
		List<Long> asked = new CopyOnWriteArrayList<>();
		LockHandle handle = this.instances.start(new ForwardingClient(new PatientClient(consul.httpUri())) {
			@Override
			public KvSnapshot watch(String key, long index, Duration wait) {
				asked.add(System.nanoTime());
				return super.watch(key, 0, wait);
			}
		}, (builder) -> builder).obtain("a").acquire();
		await().until(() -> asked.size() > 6);
		// The first answer is news, whatever it takes.
		assertThat(Duration.ofNanos(asked.get(6) - asked.get(1))).isGreaterThan(Duration.ofMillis(400));
		handle.close();
	}

	@Test
	void whatWasSeenOfAnEntryIsNotAskedAgain(ConsulServer consul) {
		Queue<Long> watched = new ConcurrentLinkedQueue<>();
		ConsulLockRegistry registry = watching(consul, watched);
		List<LockHandle> held = new ArrayList<>();
		held.add(registry.obtain("lock").acquire());
		held.add(registry.semaphore("semaphore", 2).acquire());
		held.add(registry.readWriteLock("document").readLock().acquire());
		// The lock's key, and two for each of the others.
		await().until(() -> watched.size() >= 5);
		LockHandle other = this.instances.start().obtain("other").acquire();
		CompletableFuture<LockHandle> head = registry.obtain("other").acquireAsync();
		await().until(() -> watched.size() >= 6);
		Queue<Long> watchedBehind = new ConcurrentLinkedQueue<>();
		CompletableFuture<LockHandle> behind = watching(consul, watchedBehind).obtain("other").acquireAsync();
		await().until(() -> !watchedBehind.isEmpty());
		assertThat(watched).doesNotContain(0L);
		assertThat(watchedBehind).doesNotContain(0L);
		held.forEach(LockHandle::close);
		other.close();
		head.join().close();
		behind.join().close();
	}

	private ConsulLockRegistry watching(ConsulServer consul, Queue<Long> indexes) {
		return this.instances.start(new ForwardingClient(new PatientClient(consul.httpUri())) {
			@Override
			public KvSnapshot watch(String key, long index, Duration wait) {
				indexes.add(index);
				return super.watch(key, index, wait);
			}
		}, (builder) -> builder);
	}

	@Test
	void aLossIsToldOnAThreadThatNoBodyCanKeepBusy() {
		LockHandle handle = this.instances.start().obtain("a").acquire();
		CompletableFuture<String> told = new CompletableFuture<>();
		// A virtual thread has no name, and waits for a carrier.
		handle.onLost((reason) -> told.complete(Thread.currentThread().getName()));
		this.instances.destroySessionOf("a");
		assertThat(told.join()).startsWith("consul-lock-");
	}

}
