package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockHandle;
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
				this.client.afterNextList(() -> {
					this.waiting.add(acquire(other, "a").thenAccept(LockHandle::close));
					// Not one poll of a test longer: soon it would be too late.
					while (waiters("a").isEmpty()) {
						Thread.onSpinWait();
					}
				});
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
			this.client.afterNextList(() -> {
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
			countLists(looks, 0);
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

	@Test
	void aBriefHoldDoesNotWaitLongForSomebodyToCome() {
		assertThat(looksOfRelease(0)).isBetween(1, 8);
	}

	@Test
	void aReleaseDoesNotWaitLongerForSomebodyToComeWhereConsulIsSlow() {
		assertThat(looksOfRelease(100)).isEqualTo(1);
	}

	/** How often the queue is read when a lock is released that was just handed over. */
	private int looksOfRelease(long millisPerLook) {
		ConsulLockRegistry registry = hooked();
		ConsulLockRegistry other = this.instances.start();
		// None if the machine pauses for so long that the other is forgotten.
		return await().atMost(LONG).until(() -> looksOfRelease(registry, other, millisPerLook), (looks) -> looks > 0);
	}

	private int looksOfRelease(ConsulLockRegistry registry, ConsulLockRegistry other, long millisPerLook) {
		LockHandle first = other.obtain("a").acquire();
		AtomicInteger looks = new AtomicInteger();
		CompletableFuture<Void> done = CompletableFuture.runAsync(() -> {
			LockHandle handle = registry.obtain("a").acquire();
			countLists(looks, millisPerLook);
			handle.close();
		});
		awaitQueued("a", 1);
		first.close();
		done.join();
		awaitNothing("a");
		return looks.get();
	}

	private void countLists(AtomicInteger count, long millis) {
		this.client.afterNextList(() -> {
			count.incrementAndGet();
			countLists(count, millis);
			try {
				Thread.sleep(millis);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		});
	}

}
