package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.ForwardingClient;
import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.TransactionOutcome;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What a queue must not be misled by: waiters that have stopped, entries that are not its
 * own, locks that its waiters hold already, and permissions that end before it.
 */
class QueueHazardTests extends QueueingInstances {

	@Test
	void aReleaseMakesNoWaiterLookAsIfItRan() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle first = registry.obtain("a").acquire();
		String silent = session();
		enqueue("a", silent, 0);
		await().pollDelay(Contenders.FRESH.plusMillis(500)).until(() -> true);
		first.close();
		registry.obtain("a").acquire().close();
		assertThat(this.instances.entry("a")).isNull();
		this.instances.observer.destroySession(silent);
	}

	@Test
	void aWaiterThatWasHeldBackHasToShowThatItRuns() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		String silent = session();
		enqueue("a", silent, 1);
		first.close();
		assertThat(this.instances.entry("a")).isNull();
		this.instances.observer.destroySession(silent);
	}

	@Test
	void aKeyThatLooksLikePartOfAQueueIsAnotherKey() {
		String inside = "a/.contenders/b";
		ConsulLockRegistry registry = Instances.warmUp(this.instances.start());
		LockHandle other = this.instances.start().obtain(inside).acquire();
		CompletableFuture<LockHandle> waitsForOther = acquire(this.instances.start(), inside);
		awaitQueued(inside, 1);
		LockHandle first = registry.obtain("a").acquire();
		CompletableFuture<LockHandle> next = acquire(this.instances.start(), "a");
		awaitQueued("a", 1);
		first.close();
		next.orTimeout(1, TimeUnit.MINUTES).join().close();
		other.close();
		waitsForOther.join().close();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void eachComingToAQueueIsNoticed() {
		ConsulLockRegistry registry = this.instances.start();
		registry.semaphore("warm-up", 1).acquire().close();
		LockHandle first = this.instances.start().semaphore("a", 1).acquire();
		String another = session();
		String root = this.instances.prefix() + ".consul-lock/queues/a/.permits/";
		enqueue(root, another + "-1", another, 0);
		assertThat(registry.semaphore("a", 1).tryAcquire(Duration.ofSeconds(1))).isEmpty();
		await().until(() -> this.instances.observer.list(root).size() == 2);
		long before = this.instances.observer.read(root + "marker", LONG).orElseThrow().modifyIndex();
		// With the session that has just been given back.
		CompletableFuture<Optional<LockHandle>> again = CompletableFuture
			.supplyAsync(() -> registry.semaphore("a", 1).tryAcquire(LONG));
		await().until(() -> this.instances.observer.list(root).size() == 3);
		assertThat(this.instances.observer.read(root + "marker", LONG).orElseThrow().modifyIndex())
			.isGreaterThan(before);
		this.instances.observer.destroySession(another);
		first.close();
		again.join().orElseThrow().close();
	}

	@Test
	void whoMayNotLookAtTheQueueWatchesTheLock() {
		ConsulLockRegistry outside = this.instances.start(new Unlistable(this.instances.newClient()),
				(builder) -> builder);
		LockHandle first = this.instances.start().obtain("a").acquire();
		CompletableFuture<LockHandle> next = acquire(outside, "a");
		awaitWaiting(outside, next);
		first.close();
		LockHandle handle = next.join();
		CompletableFuture<LockHandle> queued = acquire(this.instances.start(), "a");
		awaitQueued("a", 1);
		assertThat(handle.release()).isTrue();
		queued.join().close();
		await().untilAsserted(() -> assertThat(this.instances.entry("a")).isNull());
	}

	@Test
	void aReleaseWithoutPermissionForTheQueueFindsTheLoss() {
		LockHandle handle = Instances.warmUp(hooked()).obtain("a").acquire();
		this.client.refuse((operation) -> operation.key().contains("/queues/"));
		this.instances.observer.transact(List.of(KvOperation.delete(handle.key())), LONG);
		assertThat(handle.release()).isFalse();
	}

	@Test
	void aLockIsHandedOverInsideAnInstanceWithoutPermissionForTheQueue() {
		ConsulLockRegistry registry = Instances.warmUp(hooked());
		this.client.refuse((operation) -> operation.key().contains("/queues/"));
		// Unless the machine pauses: what is held for long is not handed over.
		await().until(() -> {
			LockHandle first = registry.obtain("a").acquire();
			this.events.clear();
			CompletableFuture<LockHandle> next = acquire(registry, "a");
			await().until(() -> this.events.contains("waiting"));
			assertThat(first.release()).isTrue();
			assertThat(next.join().fencingToken()).isGreaterThan(first.fencingToken());
			assertThat(next.join().release()).isTrue();
			assertThat(this.instances.entry("a")).isNull();
			return this.events.contains("handed over");
		});
	}

	@Test
	void whoseSessionHoldsTheLockDoesNotWaitForItself() {
		Instances.warmUp(this.instances.start());
		ConsulLockRegistry registry = this.instances.start(this.client, (builder) -> builder.fair(true));
		Instances.warmUp(registry);
		String own = this.client.createdSessions().get(0);
		// As a restored snapshot may have it.
		this.instances.observer
			.transact(List.of(KvOperation.lock(this.instances.prefix() + "a", own, "restored", LockFlags.LOCK)), LONG);
		CompletableFuture<LockHandle> other = acquire(this.instances.start(), "a");
		awaitQueued("a", 1);
		LockHandle handle = acquire(registry, "a").orTimeout(20, TimeUnit.SECONDS).join();
		handle.close();
		other.join().close();
	}

	@Test
	void whoseSessionHasAPermitDoesNotWaitForItself() {
		ConsulLockRegistry registry = this.instances.start(this.client, (builder) -> builder.fair(true));
		registry.semaphore("a", 1).acquire().close();
		// Given back, and the next to be used.
		String own = this.client.createdSessions().get(0);
		String key = this.instances.prefix() + "a/";
		this.instances.observer
			.transact(
					List.of(KvOperation.set(key + ".lock", "{\"Limit\":1,\"Holders\":{\"" + own + "\":true}}",
							LockFlags.SEMAPHORE), KvOperation.lock(key + own, own, "restored", LockFlags.SEMAPHORE)),
					LONG);
		CompletableFuture<LockHandle> other = CompletableFuture
			.supplyAsync(() -> this.instances.start().semaphore("a", 1).acquire());
		String root = this.instances.prefix() + ".consul-lock/queues/a/.permits/";
		await().until(() -> this.instances.observer.list(root).size() == 2);
		CompletableFuture.supplyAsync(() -> registry.semaphore("a", 1).acquire())
			.orTimeout(20, TimeUnit.SECONDS)
			.join()
			.close();
		other.join().close();
	}

	@Test
	void whoMayNotLookWhetherOthersWaitTakesAFreeLock() {
		ConsulLockRegistry registry = Instances
			.warmUp(this.instances.start(this.client, (builder) -> builder.fair(true)));
		this.client.refuse((operation) -> operation.key().contains("/queues/"));
		assertThat(registry.obtain("a").acquire().release()).isTrue();
		assertThat(registry.semaphore("a", 1).acquire().release()).isTrue();
	}

	@Test
	void aWaiterWithALongValueShowsThatItRuns() {
		String value = "\u20ac".repeat(64 * 1024);
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry registry = hooked();
		CompletableFuture<LockHandle> next = CompletableFuture
			.supplyAsync(() -> registry.obtain(LockOptions.builder("a").value(value).build()).acquire());
		awaitQueued("a", 1);
		long before = waiters("a").get(0).modifyIndex();
		await().untilAsserted(() -> assertThat(waiters("a").get(0).modifyIndex()).isGreaterThan(before));
		first.close();
		next.join().close();
		assertThat(waiters("a")).isEmpty();
	}

	@Test
	void aLockWithALongValueIsHandedOver() {
		LockOptions options = LockOptions.builder("a").value("\u20ac".repeat(64 * 1024)).build();
		ConsulLockRegistry registry = hooked();
		// Unless the machine pauses: what is held for long is not handed over.
		await().until(() -> {
			LockHandle first = registry.obtain(options).acquire();
			this.events.clear();
			CompletableFuture<LockHandle> next = CompletableFuture
				.supplyAsync(() -> registry.obtain(options).acquire());
			await().until(() -> this.events.contains("waiting"));
			assertThat(first.release()).isTrue();
			next.join().close();
			return this.events.contains("handed over");
		});
	}

	@Test
	void whoIsRefusedOnceLeavesTheQueueBeforeItGoesOnWithoutIt() {
		ConsulLockRegistry registry = Instances.warmUp(hooked());
		String key = this.instances.prefix() + "a";
		String foreign = session();
		this.instances.observer.transact(List.of(KvOperation.lock(key, foreign, "", LockFlags.LOCK)), LONG);
		CompletableFuture<LockHandle> next = acquire(registry, "a");
		awaitQueued("a", 1);
		this.client.before((operations) -> operations.get(operations.size() - 1).key().equals(key), () -> {
			throw new ConsulRefusedException("Permission denied once, says the test");
		});
		this.instances.observer.transact(List.of(KvOperation.unlock(key, foreign, "", LockFlags.LOCK)), LONG);
		LockHandle handle = next.join();
		assertThat(this.client.isDone()).isTrue();
		assertThat(waiters("a")).isEmpty();
		handle.close();
	}

	@Test
	void whoIsRefusedOnceWhileItLeavesTheQueueLeavesIt() {
		ConsulLockRegistry registry = Instances.warmUp(hooked());
		LockHandle first = this.instances.start().obtain("a").acquire();
		CompletableFuture<Optional<LockHandle>> next = CompletableFuture
			.supplyAsync(() -> registry.obtain("a").tryAcquire(Duration.ofSeconds(1)));
		awaitQueued("a", 1);
		this.client.afterNextLook(() -> {
			throw new ConsulRefusedException("Permission denied once, says the test");
		});
		assertThat(next.join()).isEmpty();
		await().until(this.client::isDone);
		awaitQueued("a", 0);
		first.close();
	}

	@Test
	void whoMayNotLookAtTheQueueAnyMoreKeepsTheLockFromNobody() {
		Unlistable client = new Unlistable(this.instances.newClient());
		client.permitted = true;
		ConsulLockRegistry outside = Instances.warmUp(this.instances.start(client, (builder) -> builder));
		ConsulLockRegistry other = this.instances.start();
		LockHandle first = other.obtain("a").acquire();
		CompletableFuture<Optional<LockHandle>> next = CompletableFuture
			.supplyAsync(() -> outside.obtain("a").tryAcquire(Duration.ofSeconds(1)));
		awaitQueued("a", 1);
		client.permitted = false;
		assertThat(next.join()).isEmpty();
		// To what is left of the one that has given up, perhaps.
		first.close();
		other.obtain("a").acquire(LONG).close();
		outside.obtain("a").acquire(LONG).close();
	}

	@Test
	void whoMayNotQueueUpWatchesTheLockThoughTheFirstLookAtThatHasNoAnswer() {
		Unwritable client = new Unwritable(this.instances.newClient());
		ConsulLockRegistry outside = this.instances.start(client, (builder) -> builder);
		LockHandle first = this.instances.start().obtain("a").acquire();
		CompletableFuture<LockHandle> next = acquire(outside, "a");
		await().until(() -> client.unanswered.get() == 1);
		awaitWaiting(outside, next);
		first.close();
		next.join().close();
	}

	private static void awaitWaiting(ConsulLockRegistry registry, CompletableFuture<LockHandle> waiting) {
		AtomicInteger looks = new AtomicInteger();
		await().pollInterval(Duration.ofMillis(100)).until(() -> waiting.isDone() || looks.incrementAndGet() > 10);
		assertThat(waiting).isNotDone();
	}

	/** Refuses to list a queue, as Consul does with {@code enable_key_list_policy}. */
	private static final class Unlistable extends ForwardingClient {

		private volatile boolean permitted;

		Unlistable(ConsulClient client) {
			super(client);
		}

		@Override
		public List<KvEntry> list(String prefix) {
			return list(prefix, LONG);
		}

		@Override
		public List<KvEntry> list(String prefix, Duration timeout) {
			if (!this.permitted && prefix.contains("/queues/")) {
				throw new ConsulRefusedException("Permission denied, says the test");
			}
			return super.list(prefix, timeout);
		}

		/** As Consul does, which leaves out what may not be read. */
		@Override
		public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
			return super.transact(operations.stream()
				.filter((operation) -> this.permitted || operation.verb() != KvOperation.Verb.GET_TREE)
				.toList(), timeout);
		}

	}

	/** Refuses to write to a queue, and loses the answer to the read that follows. */
	private static final class Unwritable extends ForwardingClient {

		private final AtomicInteger refused = new AtomicInteger();

		private final AtomicInteger unanswered = new AtomicInteger();

		Unwritable(ConsulClient client) {
			super(client);
		}

		@Override
		public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
			if (operations.stream().anyMatch((operation) -> operation.key().contains("/queues/"))) {
				this.refused.incrementAndGet();
				throw new ConsulRefusedException("Permission denied, says the test");
			}
			return super.transact(operations, timeout);
		}

		@Override
		public Optional<KvEntry> read(String key, Duration timeout) {
			if (this.refused.get() > 0 && this.unanswered.compareAndSet(0, 1)) {
				throw new ConsulUnavailableException("No answer, says the test");
			}
			return super.read(key, timeout);
		}

	}

}
