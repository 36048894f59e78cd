package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockHandle;
import io.github.consullock.consul.KvOperation.Verb;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Instances that want a lock again as soon as they have handed it over.
 */
class TakingTurnsTests extends QueueingInstances {

	private final List<CompletableFuture<?>> waiting = new ArrayList<>();

	@Test
	void twoInstancesThatTakeTurnsNeedTwoWritesEach() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		// A hold is brief, and its release one write after a look, unless the machine
		// pauses in it, or before it for so long that the other is forgotten.
		await().atMost(LONG).until(() -> {
			LockHandle first = other.obtain("a").acquire();
			CompletableFuture<Integer> release = CompletableFuture.supplyAsync(() -> {
				LockHandle handle = registry.obtain("a").acquire();
				this.client
					.beforeNextTreeWatch(() -> this.waiting.add(acquire(other, "a").thenAccept(LockHandle::close)));
				int sent = this.client.transactions();
				handle.close();
				return this.client.transactions() - sent;
			});
			awaitQueued("a", 1);
			first.close();
			int sent = release.join();
			this.waiting.forEach(CompletableFuture::join);
			awaitNothing("a");
			boolean looked = this.client.isDone();
			this.client.beforeNextTreeWatch(() -> {
			});
			return looked && sent == 1;
		});
	}

	@Test
	void whoHasHandedTheLockOverQueuesUpAgainWithoutALook() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		// Unless the machine pauses in between.
		await().atMost(LONG).until(() -> {
			LockHandle first = registry.obtain("a").acquire();
			CompletableFuture<LockHandle> next = acquire(other, "a");
			awaitQueued("a", 1);
			first.close();
			AtomicInteger looks = new AtomicInteger();
			countLooks(looks);
			CompletableFuture<LockHandle> again = acquire(registry, "a");
			awaitQueued("a", 1);
			int sent = looks.get();
			// Now and then it is released in the open, and the wrong one is first.
			CompletableFuture.allOf(next.thenAccept(LockHandle::close), again.thenAccept(LockHandle::close)).join();
			awaitNothing("a");
			return sent == 0;
		});
	}

	@Test
	void whoQueuesUpAgainForALockThatWasReleasedMeanwhileTakesIt() {
		ConsulLockRegistry registry = hooked();
		LockHandle first = registry.obtain("a").acquire();
		CompletableFuture<LockHandle> next = acquire(this.instances.start(), "a");
		awaitQueued("a", 1);
		this.client.before(ENQUEUE, () -> next.join().close());
		first.close();
		LockHandle again = registry.obtain("a").acquire();
		assertThat(again.isHeld()).isTrue();
		assertThat(again.fencingToken()).isGreaterThan(next.join().fencingToken());
		again.close();
		awaitNothing("a");
	}

	/**
	 * Consul reads what was deleted below a key with what is there, for a quarter of an
	 * hour.
	 */
	@Test
	void whoWaitsHasTheSameEntryEachTime() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		Set<String> entries = ConcurrentHashMap.newKeySet();
		this.client.alwaysAfter((operations) -> {
			operations.stream()
				.filter((operation) -> operation.verb() == Verb.LOCK && operation.key().contains("/queues/"))
				.forEach((operation) -> entries.add(operation.key()));
			return false;
		}, () -> {
		});
		for (int i = 0; i < 3; i++) {
			LockHandle first = other.obtain("a").acquire();
			CompletableFuture<LockHandle> next = acquire(registry, "a");
			awaitQueued("a", 1);
			first.close();
			next.join().close();
		}
		assertThat(entries).hasSize(1);
		awaitNothing("a");
	}

	/** A look, and one that is answered when somebody comes. */
	@Test
	void aReleaseWaitsForSomebodyToComeByTwoRequests() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		// Less if the machine pauses for so long that the hold is not brief, or the other
		// is forgotten.
		await().atMost(LONG).until(() -> looksOfRelease(registry, other), (looks) -> looks == 2);
	}

	@Test
	void aReleaseWaitsForNobodyWhereSomebodyCameUnseen() {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		ConsulLockRegistry third = this.instances.start();
		AtomicBoolean waited = new AtomicBoolean();
		// The first holds are not brief, while classes are loaded.
		for (int i = 0; i < 10; i++) {
			LockHandle first = other.obtain("a").acquire();
			CompletableFuture<Void> release = CompletableFuture.runAsync(() -> {
				LockHandle handle = registry.obtain("a").acquire();
				this.client.beforeNextTreeWatch(() -> waited.set(true));
				handle.close();
			});
			awaitQueued("a", 1);
			CompletableFuture<LockHandle> next = acquire(third, "a");
			awaitQueued("a", 2);
			first.close();
			release.join();
			next.join().close();
			awaitNothing("a");
		}
		assertThat(waited).isFalse();
	}

	/** How often the queue is read when a lock is released that was just handed over. */
	private int looksOfRelease(ConsulLockRegistry registry, ConsulLockRegistry other) {
		LockHandle first = other.obtain("a").acquire();
		AtomicInteger looks = new AtomicInteger();
		CompletableFuture<Void> done = CompletableFuture.runAsync(() -> {
			LockHandle handle = registry.obtain("a").acquire();
			countLooks(looks);
			handle.close();
		});
		awaitQueued("a", 1);
		first.close();
		done.join();
		awaitNothing("a");
		return looks.get();
	}

	private void countLooks(AtomicInteger count) {
		this.client.afterNextLook(() -> {
			count.incrementAndGet();
			countLooks(count);
		});
	}

}
