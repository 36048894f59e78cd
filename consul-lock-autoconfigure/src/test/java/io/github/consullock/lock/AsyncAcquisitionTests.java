package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.ForwardingClient;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvOperation.Verb;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * Waiting for a lock without a thread.
 */
@SuppressWarnings("LockNotBeforeTry") // Locks are what is tested here.
class AsyncAcquisitionTests extends HookedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void theFutureCompletesWithTheHoldWhereItsDependentsMayBlock() {
		ConsulLockRegistry registry = hooked();
		CompletableFuture<LockHandle> future = registry.obtain("a").acquireAsync();
		// A dependent that acquires blocks, and would wait for its own thread.
		CompletableFuture<Boolean> nested = future.thenApply((handle) -> {
			try (handle; LockHandle other = registry.obtain("b").acquire()) {
				return handle.isHeld() && other.isHeld();
			}
		});
		assertThat(nested.join()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void theNextHasATokenOfItsOwnThoughItsEntryHoldsTheSame() {
		ConsulLock lock = this.instances.start().obtain(LockOptions.builder("a").value("mine").build());
		LockHandle first = lock.acquire();
		CompletableFuture<LockHandle> next = lock.acquireAsync();
		assertThat(first.release()).isTrue();
		LockHandle second = next.join();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(second.fencingToken());
		assertThat(this.instances.entry("a").value()).isEqualTo("mine");
		assertThat(second.release()).isTrue();
	}

	@Test
	void itIsHandedOverAndWaitedForLikeAnyOther() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle first = this.instances.start().obtain("a").acquire();
		List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			waiting.add(registry.obtain("a").acquireAsync(LONG));
		}
		first.close();
		long token = first.fencingToken();
		for (int i = 0; i < 5; i++) {
			LockHandle handle = waiting.get(i).join();
			assertThat(handle.fencingToken()).isGreaterThan(token);
			token = handle.fencingToken();
			handle.close();
		}
	}

	@Test
	void manyWaitWithoutAThreadEach() {
		try (InMemoryConsulClient consul = new InMemoryConsulClient();
				ConsulLockRegistry others = ConsulLockRegistry.builder(consul.newClient()).maxWatches(0).build();
				ConsulLockRegistry registry = ConsulLockRegistry.builder(consul).maxWatches(4).build()) {
			List<LockHandle> held = new ArrayList<>();
			List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
			for (int i = 0; i < 150; i++) {
				held.add(others.obtain("a" + i).acquire());
				waiting.add(registry.obtain("a" + i).acquireAsync(LONG));
				waiting.add(registry.obtain("a" + i).acquireAsync(LONG));
			}
			// Each key has an owner, and each owner a watch, or is polled.
			await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 300);
			await().until(() -> Thread.getAllStackTraces()
				.keySet()
				.stream()
				.filter((thread) -> thread.getName().startsWith("consul-lock-")
						&& thread.getState() != Thread.State.TERMINATED)
				.count() < 120);
			held.forEach(LockHandle::close);
			waiting.forEach((future) -> future.thenAccept(LockHandle::close).join());
			assertThat(registry.heldLocks()).isEmpty();
		}
	}

	@Test
	void whereVeryManyWaitTheyLookSeldomAndGoByWhatTheirWatchesTell() {
		int keys = 600;
		try (InMemoryConsulClient consul = new InMemoryConsulClient();
				ConsulLockRegistry holders = ConsulLockRegistry.builder(consul.newClient()).maxWatches(0).build();
				CountingClient first = new CountingClient(consul.newClient());
				CountingClient second = new CountingClient(consul.newClient());
				ConsulLockRegistry heads = ConsulLockRegistry.builder(first).maxWatches(0).build();
				ConsulLockRegistry behind = ConsulLockRegistry.builder(second).maxWatches(0).build()) {
			List<LockHandle> held = new ArrayList<>();
			List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
			for (int i = 0; i < keys; i++) {
				held.add(holders.obtain("a" + i).acquire());
				waiting.add(heads.obtain("a" + i).acquireAsync(LONG));
			}
			await().until(() -> first.entered.get() == keys);
			for (int i = 0; i < keys; i++) {
				waiting.add(behind.obtain("a" + i).acquireAsync(LONG));
			}
			await().until(() -> second.entered.get() == keys);
			int looks = first.looks.get();
			int proofs = first.proofs.get();
			await().until(() -> first.proofs.get() > proofs + 3 * keys);
			assertThat(first.looks.get() - looks).isLessThan(first.proofs.get() - proofs);
			// Without having heard of the proofs, they would take the heads for dead.
			assertThat(second.removals.get()).isLessThan(keys / 2);
			held.forEach(LockHandle::close);
			waiting.forEach((future) -> future.thenAccept(LockHandle::close).join());
		}
	}

	/**
	 * The entry that is watched there does not change when the session of one who waits
	 * before ends.
	 */
	@Test
	void whereVeryManyWaitWhoeverHasToLookForItselfDoes() throws Exception {
		int keys = 1000;
		try (InMemoryConsulClient consul = new InMemoryConsulClient();
				ConsulLockRegistry holders = ConsulLockRegistry.builder(consul.newClient()).build();
				HookedClient dying = new HookedClient(consul.newClient());
				ConsulLockRegistry before = ConsulLockRegistry.builder(dying).build();
				ConsulLockRegistry waiters = ConsulLockRegistry.builder(consul.newClient()).maxWatches(10).build()) {
			List<LockHandle> held = new ArrayList<>();
			List<CompletableFuture<LockHandle>> waiting = new ArrayList<>();
			held.add(holders.readWriteLock("document").writeLock().acquire());
			for (int i = 0; i < keys; i++) {
				held.add(holders.obtain("a" + i).acquire());
				waiting.add(waiters.obtain("a" + i).acquireAsync(LONG));
			}
			await().until(() -> consul.list("locks/.consul-lock/queues/").size() >= 2 * keys);
			CompletableFuture<LockHandle> dead = before.readWriteLock("document").writeLock().acquireAsync(LONG);
			await().until(() -> membersOf("document", consul) == 2);
			CompletableFuture<LockHandle> next = waiters.readWriteLock("document").writeLock().acquireAsync(LONG);
			await().until(() -> membersOf("document", consul) == 3);
			dying.alwaysBefore(() -> {
				throw new ConsulUnavailableException("Dead, says the test");
			});
			dying.createdSessions().forEach(consul::destroySession);
			held.get(0).close();
			// All the others together look 50 times a second: each after 20 seconds.
			next.orTimeout(12, TimeUnit.SECONDS).join().close();
			dead.cancel(true);
			held.forEach(LockHandle::close);
			waiting.forEach((future) -> future.thenAccept(LockHandle::close).join());
		}
	}

	private static long membersOf(String key, ConsulClient consul) {
		return consul.list("locks/")
			.stream()
			.filter((entry) -> entry.key().contains(key) && entry.session() != null)
			.count();
	}

	@Test
	void aWaitInVainFailsWithTheReason() {
		LockHandle held = this.instances.start().obtain("a").acquire();
		CompletableFuture<LockHandle> future = Instances.warmUp(this.instances.start())
			.obtain("a")
			.acquireAsync(Duration.ZERO);
		assertThatExceptionOfType(CompletionException.class).isThrownBy(future::join)
			.withCauseInstanceOf(LockNotAcquiredException.class)
			.withMessageContaining("held by");
		held.close();
	}

	@Test
	void aConsulThatDoesNotAnswerFailsItInTime() {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		this.client.alwaysBefore(() -> {
			throw new ConsulUnavailableException("silent, says the test");
		});
		CompletableFuture<LockHandle> future = registry.obtain("a").acquireAsync(Duration.ofMillis(300));
		assertThatExceptionOfType(CompletionException.class).isThrownBy(future::join)
			.withCauseInstanceOf(ConsulUnavailableException.class);
		this.client.alwaysBefore(() -> {
		});
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
	}

	@Test
	void cancellingEndsAWaitForConsulAndLeavesNothingBehind() {
		LockHandle held = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry registry = hooked();
		CompletableFuture<LockHandle> future = registry.obtain("a").acquireAsync(LONG);
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 2);
		assertThat(future.cancel(false)).isTrue();
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
		await().until(() -> this.events.contains("not acquired"));
		held.close();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void cancellingEndsAWaitInLineAndKeepsNobodyBehindIt() {
		ConsulLockRegistry registry = hooked();
		LockHandle held = registry.obtain("a").acquire();
		CompletableFuture<LockHandle> first = registry.obtain("a").acquireAsync(LONG);
		CompletableFuture<LockHandle> second = registry.obtain("a").acquireAsync(LONG);
		first.cancel(true);
		held.close();
		second.join().close();
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void cancellingDuringARequestReleasesWhatItAcquires() throws Exception {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		CountDownLatch acquired = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		this.client.after(HookedClient.ACQUIRE, () -> {
			acquired.countDown();
			awaitLatch(cancelled);
		});
		CompletableFuture<LockHandle> future = registry.obtain("a").acquireAsync(LONG);
		acquired.await();
		future.cancel(false);
		cancelled.countDown();
		await().until(() -> this.instances.entry("a") == null && registry.heldLocks().isEmpty());
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
		assertThatExceptionOfType(CancellationException.class).isThrownBy(future::join);
	}

	@Test
	void cancellingDuringARequestWhoseAnswerIsLostSettlesIt() throws Exception {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		CountDownLatch acquired = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		this.client.after(HookedClient.ACQUIRE, () -> {
			acquired.countDown();
			awaitLatch(cancelled);
			throw new ConsulUnavailableException("lost by the test");
		});
		CompletableFuture<LockHandle> future = registry.obtain("a").acquireAsync(LONG);
		acquired.await();
		future.cancel(false);
		cancelled.countDown();
		await().until(() -> this.instances.entry("a") == null && ((DefaultLockRegistry) registry).trackedKeys() == 0);
		registry.obtain("a").acquire().close();
	}

	@Test
	void closingTheRegistryFailsEveryWait() {
		LockHandle held = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry registry = hooked();
		CompletableFuture<LockHandle> first = registry.obtain("a").acquireAsync(LockOptions.FOREVER);
		CompletableFuture<LockHandle> second = registry.obtain("a").acquireAsync(LockOptions.FOREVER);
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 2);
		registry.close();
		for (CompletableFuture<LockHandle> future : List.of(first, second, registry.obtain("b").acquireAsync())) {
			assertThatExceptionOfType(CompletionException.class).isThrownBy(future::join)
				.withCauseInstanceOf(LockNotAcquiredException.class)
				.withMessageContaining("closed");
		}
		held.close();
	}

	@Test
	void anAsynchronousReleaseTellsWhetherTheLockWasHeldToTheEnd() throws Exception {
		ConsulLockRegistry registry = this.instances.start();
		assertThat(registry.obtain("a").acquire().releaseAsync().get(1, TimeUnit.MINUTES)).isTrue();
		assertThat(this.instances.entry("a")).isNull();
		LockHandle lost = registry.obtain("a").acquire();
		CompletableFuture<LockLostReason> reason = new CompletableFuture<>();
		lost.onLost(reason::complete);
		this.instances.destroySessionOf("a");
		reason.join();
		assertThat(lost.releaseAsync().get(1, TimeUnit.MINUTES)).isFalse();
	}

	@Test
	void anAsynchronousReleaseEndsAfterTheRegistryWasClosedToo() throws Exception {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle handle = registry.obtain("a").acquire();
		registry.close();
		assertThat(handle.releaseAsync().get(1, TimeUnit.MINUTES)).isFalse();
	}

	@Test
	void aWaitTimeThatIsNoneIsRefusedAtOnce() {
		ConsulLock lock = this.instances.start().obtain("a");
		assertThatIllegalArgumentException().isThrownBy(() -> lock.acquireAsync(Duration.ofMillis(-1)));
		assertThatIllegalArgumentException().isThrownBy(() -> lock.acquire(Duration.ofMillis(-1)));
	}

	private static void awaitLatch(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/** Counts what those who wait ask. */
	private static final class CountingClient extends ForwardingClient {

		private final AtomicInteger entered = new AtomicInteger();

		private final AtomicInteger looks = new AtomicInteger();

		private final AtomicInteger proofs = new AtomicInteger();

		private final AtomicInteger removals = new AtomicInteger();

		CountingClient(ConsulClient client) {
			super(client);
		}

		@Override
		public List<KvEntry> list(String prefix, Duration timeout) {
			this.looks.incrementAndGet();
			return super.list(prefix, timeout);
		}

		@Override
		public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
			TransactionOutcome outcome = super.transact(operations, timeout);
			Set<Verb> verbs = operations.stream().map(KvOperation::verb).collect(Collectors.toSet());
			if (verbs.equals(Set.of(Verb.GET, Verb.GET_TREE))) {
				this.looks.incrementAndGet();
			}
			if (outcome instanceof Committed && verbs.containsAll(Set.of(Verb.SET, Verb.LOCK))) {
				this.entered.incrementAndGet();
			}
			else if (outcome instanceof Committed && verbs.containsAll(Set.of(Verb.UNLOCK, Verb.LOCK))) {
				this.proofs.incrementAndGet();
			}
			else if (verbs.equals(Set.of(Verb.CHECK_INDEX, Verb.DELETE))) {
				this.removals.incrementAndGet();
			}
			return outcome;
		}

	}

}
