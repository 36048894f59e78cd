package io.github.consullock.lock;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvOperation.Verb;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * Instances that queue up for a lock, and hand it on from one to the next.
 */
class QueueTests extends QueueingInstances {

	/** A release that names the next holder's session. */
	private static final Predicate<List<KvOperation>> HAND_OVER = (operations) -> operations.stream()
		.filter((operation) -> operation.verb() == Verb.UNLOCK || operation.verb() == Verb.LOCK)
		.map(KvOperation::session)
		.distinct()
		.count() == 2;

	/** The try of one in the queue to take a lock that is free. */
	private static final Predicate<List<KvOperation>> ENTER = HAND_OVER.negate()
		.and((operations) -> operations.stream()
			.anyMatch((operation) -> operation.verb() == Verb.DELETE && operation.key().contains("/queues/")))
		.and((operations) -> operations.get(operations.size() - 1).verb() == Verb.LOCK);

	private static final Predicate<List<KvOperation>> WITHDRAW = (operations) -> operations.stream()
		.allMatch((operation) -> operation.key().contains("/queues/") && operation.verb() != Verb.LOCK);

	private final List<CompletableFuture<?>> waiting = new ArrayList<>();

	@Test
	void aReleaseMovesTheLockToTheNextInstanceByOneWrite() {
		ConsulLockRegistry registry = hooked();
		HookedClient other = new HookedClient(this.instances.newClient());
		ConsulLockRegistry waiting = this.instances.start(other, (builder) -> builder);
		whileFresh(() -> {
			LockHandle first = registry.obtain("a").acquire();
			CompletableFuture<LockHandle> next = acquire(waiting, "a");
			awaitQueued("a", 1);
			int sent = this.client.transactions();
			int sentByOther = other.transactions();
			Instant before = Instant.now();
			assertThat(first.release()).isTrue();
			LockHandle handle = next.join();
			return new HandOver(handle, () -> {
				// One, and one that found out that somebody waits.
				assertThat(this.client.transactions() - sent).isEqualTo(2);
				assertThat(other.transactions()).isEqualTo(sentByOther);
				assertThat(handle.fencingToken()).isGreaterThan(first.fencingToken());
				assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
				assertThat(this.events).endsWith("acquired", "handed over");
				assertThat(registry.obtain("a").holder())
					.hasValueSatisfying((holder) -> assertThat(holder.since()).isAfter(before.minusMillis(1)));
				assertThat(handle.release()).isTrue();
			});
		});
		awaitNothing("a");
	}

	/**
	 * A lock goes straight to the next one only if that has asked for it a short time
	 * ago, and has not had to prove that it still runs, for which a machine may be too
	 * busy.
	 */
	private void whileFresh(Supplier<HandOver> scenario) {
		long start = System.nanoTime();
		HandOver handOver = scenario.get();
		while (System.nanoTime() - start > Contenders.PROOF.toNanos()) {
			handOver.handle().close();
			// By then it is forgotten that somebody else wanted the lock.
			await().pollDelay(Duration.ofSeconds(2)).until(() -> true);
			start = System.nanoTime();
			handOver = scenario.get();
		}
		handOver.check().run();
	}

	/**
	 * What came of a release.
	 *
	 * @param handle of the next holder
	 * @param check what is to be seen then, if the next one had asked a short time ago
	 */
	private record HandOver(LockHandle handle, Runnable check) {
	}

	@Test
	void instancesAreServedInTheOrderInWhichTheyCame() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		List<Integer> served = new CopyOnWriteArrayList<>();
		for (int i = 0; i < 5; i++) {
			int number = i;
			CompletableFuture<LockHandle> next = acquire(fair(), "a");
			this.waiting.add(next.thenAccept((handle) -> {
				served.add(number);
				handle.close();
			}));
			awaitQueued("a", i + 1);
		}
		first.close();
		this.waiting.forEach(CompletableFuture::join);
		assertThat(served).containsExactly(0, 1, 2, 3, 4);
		awaitNothing("a");
	}

	@Test
	void whoGivesUpLeavesTheQueueAndIsPassedOver() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLock lock = Instances.warmUp(this.instances.start()).obtain("a");
		CompletableFuture<Optional<LockHandle>> impatient = CompletableFuture
			.supplyAsync(() -> lock.tryAcquire(Duration.ofSeconds(5)));
		awaitQueued("a", 1);
		CompletableFuture<LockHandle> next = acquire(this.instances.start(), "a");
		assertThat(impatient.join()).isEmpty();
		awaitQueued("a", 1);
		first.close();
		next.join().close();
		awaitNothing("a");
	}

	@Test
	void theLastToGiveUpLeavesNothing() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry other = Instances.warmUp(this.instances.start());
		assertThat(other.obtain("a").tryAcquire(Duration.ofMillis(500))).isEmpty();
		await().untilAsserted(() -> assertThat(queue("a")).isEmpty());
		CompletableFuture<LockHandle> cancelled = other.obtain("a").acquireAsync();
		awaitQueued("a", 1);
		cancelled.cancel(true);
		await().untilAsserted(() -> assertThat(queue("a")).isEmpty());
		CompletableFuture<LockHandle> closed = acquire(other, "a");
		awaitQueued("a", 1);
		other.close();
		assertThatExceptionOfType(Exception.class).isThrownBy(closed::join);
		assertThat(queue("a")).isEmpty();
		first.close();
		awaitNothing("a");
	}

	@Test
	void aLockHandedToOneWhoIsLeavingIsPassedOn() {
		ConsulLockRegistry leaving = hooked();
		leaving.obtain("warm-up").acquire().close();
		LockHandle first = this.instances.start().obtain("a").acquire();
		this.client.before(WITHDRAW, first::release);
		assertThat(leaving.obtain("a").tryAcquire(Duration.ofSeconds(2))).isEmpty();
		await().until(this.client::isDone);
		try (LockHandle next = this.instances.start().obtain("a").acquire()) {
			assertThat(next.isHeld()).isTrue();
		}
		awaitNothing("a");
		assertThat(leaving.heldLocks()).isEmpty();
	}

	@Test
	void aWaiterWhoseSessionHasEndedIsPassedOver() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		CompletableFuture<LockHandle> dead = acquire(this.instances.start(), "a");
		awaitQueued("a", 1);
		String session = waiters("a").get(0).session();
		CompletableFuture<LockHandle> next = acquire(this.instances.start(), "a");
		awaitQueued("a", 2);
		this.instances.observer.destroySession(session);
		first.close();
		// It waits again, with another session.
		CompletableFuture.allOf(dead.thenAccept(LockHandle::close), next.thenAccept(LockHandle::close)).join();
		awaitNothing("a");
	}

	@Test
	void whatCrashedInstancesLeaveIsSwept() {
		String session = session();
		enqueue("b", session, 0);
		enqueue("c", session, 0);
		String living = session();
		enqueue("c", living, 0);
		this.instances.observer.destroySession(session);
		this.instances.start().obtain("a").acquire().close();
		await().untilAsserted(() -> assertThat(queue("b")).isEmpty());
		await().untilAsserted(() -> assertThat(waiters("c")).extracting(KvEntry::session).containsExactly(living));
		assertThat(queue("c")).hasSize(2);
		this.instances.observer.destroySession(living);
	}

	@Test
	void aDesertedQueueIsRemovedByTheNextRelease() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		String session = session();
		enqueue("a", session, 0);
		this.instances.observer.destroySession(session);
		assertThat(first.release()).isTrue();
		awaitNothing("a");
	}

	@Test
	void aLockIsNotHandedToOneThatMayHaveStoppedLongAgo() {
		String silent = session();
		LockHandle first = this.instances.start().obtain("a").acquire();
		enqueue("a", silent, 0);
		CompletableFuture<LockHandle> next = acquire(this.instances.start(), "a");
		awaitQueued("a", 2);
		await().pollDelay(Contenders.FRESH.plusMillis(500)).until(() -> true);
		assertThat(first.release()).isTrue();
		next.orTimeout(1, TimeUnit.MINUTES).join().close();
		// Nobody is behind it any more who would remove it.
		CompletableFuture<LockHandle> behind = acquire(fair(), "a");
		behind.join().close();
		awaitNothing("a");
		this.instances.observer.destroySession(silent);
	}

	@Test
	void whoDoesNotQueueUpGetsItsTurn() {
		String foreign = session();
		String key = this.instances.prefix() + "a";
		AtomicBoolean taken = new AtomicBoolean();
		// The first try of one in the queue finds the lock free, and fails all the same.
		this.client.alwaysAfter(ENTER, () -> {
			KvOperation lock = KvOperation.lock(key, foreign, "foreign", LockFlags.LOCK);
			if (!taken.get() && this.instances.observer.transact(List.of(lock), LONG) instanceof Committed) {
				taken.set(true);
			}
		});
		for (ConsulLockRegistry registry : List.of(hooked(), this.instances.start())) {
			this.waiting.add(CompletableFuture.runAsync(() -> {
				while (!taken.get()) {
					LockHandle handle = registry.obtain("a").acquire();
					await().pollDelay(Duration.ofMillis(60)).until(() -> true);
					handle.close();
				}
			}, (task) -> new Thread(task).start()));
		}
		// When the lock is released in the open is a matter of chance.
		await().atMost(Duration.ofMinutes(5)).untilTrue(taken);
		this.instances.observer.transact(List.of(KvOperation.unlock(key, foreign, "", LockFlags.LOCK)), LONG);
		this.waiting.forEach(CompletableFuture::join);
		await().untilAsserted(() -> assertThat(queue("a")).isEmpty());
		this.instances.observer.destroySession(foreign);
	}

	@Test
	void threadsOfOneInstanceDoNotKeepOthersWaiting() {
		ConsulLockRegistry busy = this.instances.start();
		AtomicBoolean stop = new AtomicBoolean();
		AtomicInteger done = new AtomicInteger();
		for (int i = 0; i < 4; i++) {
			this.waiting.add(CompletableFuture.runAsync(() -> {
				while (!stop.get()) {
					busy.obtain("a").acquire().close();
					done.incrementAndGet();
				}
			}, (task) -> new Thread(task).start()));
		}
		ConsulLockRegistry other = this.instances.start();
		await().until(() -> done.get() > 20);
		for (int i = 0; i < 5; i++) {
			other.obtain("a").acquire().close();
		}
		stop.set(true);
		this.waiting.forEach(CompletableFuture::join);
		awaitNothing("a");
	}

	@Test
	void aNewcomerTakesAFreeLockUnlessItIsFair() {
		String waits = session();
		enqueue("a", waits, 0);
		ConsulLock hasty = Instances.warmUp(this.instances.start()).obtain("a");
		hasty.tryAcquire(Duration.ZERO).orElseThrow().close();
		ConsulLock fair = Instances.warmUp(fair()).obtain(LockOptions.builder("a").fair(true).build());
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> fair.acquire(Duration.ZERO))
			.withMessageContaining("waited for before by somebody");
		CompletableFuture<LockHandle> behind = CompletableFuture.supplyAsync(fair::acquire);
		awaitQueued("a", 2);
		// It asks for the lock every two seconds.
		await().during(Duration.ofSeconds(3)).until(() -> !behind.isDone());
		this.instances.observer.destroySession(waits);
		behind.join().close();
		awaitNothing("a");
	}

	@Test
	void aFairWaiterIsFirstWhenTheLockIsReleasedInTheOpen() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		CompletableFuture<LockHandle> waits = acquire(fair(), "a");
		awaitQueued("a", 1);
		ConsulLockRegistry newcomer = fair();
		newcomer.obtain("warm-up").acquire().close();
		// By an operator; whoever waits has to come first then.
		this.instances.observer.transact(List.of(KvOperation.delete(first.key())), LONG);
		assertThat(newcomer.obtain("a").tryAcquire(Duration.ZERO)).isEmpty();
		waits.join().close();
		awaitNothing("a");
	}

	@Test
	void fairnessIsRefusedWhereNobodyQueuesUp() {
		assertThatIllegalArgumentException().isThrownBy(() -> LockOptions.builder(List.of("a", "b")).fair(true).build())
			.withMessageContaining("several keys");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> LockOptions.builder("a").session("mine").fair(true).build())
			.withMessageContaining("session of the caller's own");
	}

	@Test
	void whoMayNotQueueUpWatchesTheLock() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry outside = hooked();
		outside.obtain("warm-up").acquire().close();
		AtomicInteger refused = new AtomicInteger();
		this.client.refuse((operation) -> operation.key().contains("/queues/") && refused.incrementAndGet() > 0);
		CompletableFuture<LockHandle> next = acquire(outside, "a");
		await().until(() -> refused.get() > 0);
		assertThat(first.release()).isTrue();
		LockHandle handle = next.join();
		assertThat(handle.release()).isTrue();
		awaitNothing("a");
	}

	@Test
	void anEnqueuingWhoseAnswerIsLostCounts() {
		ConsulLockRegistry registry = hooked();
		registry.obtain("warm-up").acquire().close();
		LockHandle first = this.instances.start().obtain("a").acquire();
		this.client.after(ENQUEUE, () -> {
			throw new ConsulUnavailableException("The answer is lost, says the test");
		});
		CompletableFuture<LockHandle> next = acquire(registry, "a");
		await().until(this.client::isDone);
		awaitQueued("a", 1);
		first.close();
		next.join().close();
		awaitNothing("a");
	}

	@Test
	void anEnqueuingWhoseAnswerIsLostAndThatIsServedAtOnceCounts() {
		ConsulLockRegistry registry = hooked();
		registry.obtain("warm-up").acquire().close();
		LockHandle first = this.instances.start().obtain("a").acquire();
		this.client.after(ENQUEUE, () -> {
			first.release();
			throw new ConsulUnavailableException("The answer is lost, says the test");
		});
		LockHandle next = registry.obtain("a").acquire();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(next.fencingToken());
		next.close();
		awaitNothing("a");
	}

	@Test
	void aHandOverWhoseAnswerIsLostCounts() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry waiting = this.instances.start();
		whileFresh(() -> {
			LockHandle first = registry.obtain("a").acquire();
			CompletableFuture<LockHandle> next = acquire(waiting, "a");
			awaitQueued("a", 1);
			this.client.after(HAND_OVER, () -> {
				throw new ConsulUnavailableException("The answer is lost, says the test");
			});
			assertThat(first.release()).isTrue();
			LockHandle handle = next.join();
			return new HandOver(handle, () -> {
				assertThat(this.client.isDone()).isTrue();
				// What is settled is the former hold, not the present one.
				await().during(Duration.ofSeconds(1)).until(handle::isHeld);
				assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
				handle.close();
			});
		});
		awaitNothing("a");
	}

	@Test
	void aSnapshotOfAnEarlierHoldIsNoHandOver() {
		ConsulLockRegistry registry = hooked();
		LockHandle earlier = registry.obtain("a").acquire();
		// Watched by then, so that what waits next may be told of it once more.
		await().pollDelay(Duration.ofMillis(500)).until(() -> true);
		ConsulLockRegistry other = this.instances.start();
		earlier.release();
		LockHandle between = other.obtain("a").acquire();
		CompletableFuture<LockHandle> next = acquire(registry, "a");
		awaitQueued("a", 1);
		await().during(Duration.ofSeconds(1)).until(() -> !next.isDone());
		between.close();
		assertThat(next.join().fencingToken()).isGreaterThan(between.fencingToken());
		next.join().close();
		awaitNothing("a");
	}

	@Test
	void aReleaseMovesAPermitToTheNextInstanceByOneWrite() {
		ConsulSemaphore semaphore = hooked().semaphore("pool", 2);
		LockHandle other = this.instances.start().semaphore("pool", 2).acquire();
		HookedClient client = new HookedClient(this.instances.newClient());
		ConsulSemaphore waiting = this.instances.start(client, (builder) -> builder).semaphore("pool", 2);
		whileFresh(() -> {
			LockHandle first = semaphore.acquire();
			CompletableFuture<LockHandle> next = waiting.acquireAsync();
			awaitPermitQueued(1);
			int sent = this.client.transactions();
			int sentByOther = client.transactions();
			assertThat(first.release()).isTrue();
			LockHandle handle = next.join();
			return new HandOver(handle, () -> {
				assertThat(this.client.transactions() - sent).isEqualTo(2);
				assertThat(client.transactions()).isEqualTo(sentByOther);
				assertThat(handle.fencingToken()).isGreaterThan(first.fencingToken());
				assertThat(semaphore.holders()).hasSize(2);
				assertThat(handle.release()).isTrue();
			});
		});
		assertThat(other.release()).isTrue();
		awaitNoSemaphore();
	}

	@Test
	void permitsAreGivenInTheOrderInWhichInstancesCame() {
		List<LockHandle> held = new ArrayList<>();
		for (int i = 0; i < 2; i++) {
			held.add(this.instances.start().semaphore("pool", 2).acquire());
		}
		List<Integer> served = new CopyOnWriteArrayList<>();
		for (int i = 0; i < 4; i++) {
			int number = i;
			this.waiting.add(fair().semaphore("pool", 2).acquireAsync().thenAccept((handle) -> {
				served.add(number);
				handle.close();
			}));
			awaitPermitQueued(i + 1);
		}
		// One only, so that they come one after the other.
		held.get(0).close();
		this.waiting.forEach(CompletableFuture::join);
		assertThat(served).containsExactly(0, 1, 2, 3);
		held.get(1).close();
		awaitNoSemaphore();
	}

	@Test
	void aPermitHandedToOneWhoIsLeavingIsPassedOn() {
		ConsulSemaphore leaving = Instances.warmUp(hooked(), 1).semaphore("pool", 1);
		LockHandle first = this.instances.start().semaphore("pool", 1).acquire();
		this.client.before(WITHDRAW, first::release);
		assertThat(leaving.tryAcquire(Duration.ofSeconds(1))).isEmpty();
		await().until(this.client::isDone);
		this.instances.start().semaphore("pool", 1).acquire().close();
		awaitNoSemaphore();
	}

	private void awaitPermitQueued(int count) {
		String root = this.instances.prefix() + ".consul-lock/queues/pool/.permits/";
		await().untilAsserted(() -> assertThat(this.instances.observer.list(root)).hasSize(count + 1));
	}

	private void awaitNoSemaphore() {
		await().untilAsserted(() -> assertThat(this.instances.entries()).extracting(KvEntry::key)
			.allMatch((key) -> key.contains("/fences/")));
	}

	private ConsulLockRegistry fair() {
		return this.instances.start((builder) -> builder.fair(true));
	}

}
