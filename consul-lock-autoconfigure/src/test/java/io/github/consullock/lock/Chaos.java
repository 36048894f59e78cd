package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Threads that are interrupted at random moments, clients whose requests fail, and how
 * many holds have begun and ended meanwhile.
 */
final class Chaos implements LockListener {

	private static final int THREADS = 12;

	private final AtomicInteger begun = new AtomicInteger();

	private final AtomicInteger ended = new AtomicInteger();

	/** A client that loses the answer to a transaction now and then. */
	static ConsulClient unreliable(ConsulClient client, Random random) {
		HookedClient unreliable = new HookedClient(client);
		unreliable.alwaysAfter(() -> {
			if (random.nextInt(20) == 0) {
				throw random.nextBoolean() ? new ConsulUnavailableException("chaos")
						: new IllegalStateException("chaos");
			}
		});
		return unreliable;
	}

	/**
	 * Has threads work, and interrupts them, until all have ended.
	 * @param work is given the number of its thread
	 * @param disturbance happens now and then meanwhile
	 */
	static void run(IntConsumer work, Runnable disturbance) throws InterruptedException {
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < THREADS; i++) {
			int number = i;
			Thread thread = new Thread(() -> work.accept(number));
			threads.add(thread);
			thread.start();
		}
		Random random = new Random();
		while (threads.stream().anyMatch(Thread::isAlive)) {
			threads.get(random.nextInt(THREADS)).interrupt();
			if (random.nextInt(5) == 0) {
				disturbance.run();
			}
			threads.get(random.nextInt(THREADS)).join(10);
		}
	}

	/** Every hold has ended, and the registries keep nothing. */
	void awaitNothingKept(List<DefaultLockRegistry> registries) {
		for (DefaultLockRegistry registry : registries) {
			await().untilAsserted(() -> assertThat(registry.trackedKeys()).isZero());
			assertThat(registry.heldLocks()).isEmpty();
		}
		assertThat(this.begun).hasPositiveValue();
		// A hold that was handed to somebody who had left is released in the background.
		await().untilAsserted(() -> assertThat(this.ended).hasValue(this.begun.get()));
	}

	@Override
	public void acquired(LockHandle handle, Duration waited) {
		this.begun.incrementAndGet();
	}

	@Override
	public void lost(LockHandle handle, LockLostReason reason) {
		this.ended.incrementAndGet();
	}

	@Override
	public void released(LockHandle handle, Duration held) {
		this.ended.incrementAndGet();
	}

	@Override
	public void handedOver(LockHandle handle, Duration held) {
		this.ended.incrementAndGet();
	}

}
