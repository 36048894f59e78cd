package io.github.consullock.annotation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class InterruptHandshakeTests {

	private static final int ROUNDS = 20_000;

	@Test
	void aLossAroundTheEndOfABodyNeverReachesTheNextTask() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(2);
		try {
			CyclicBarrier barrier = new CyclicBarrier(2);
			InterruptHandshake.Cancellation[] current = new InterruptHandshake.Cancellation[1];
			AtomicInteger before = new AtomicInteger();
			AtomicInteger after = new AtomicInteger();
			Future<?> body = pool.submit(() -> {
				InterruptHandshake handshake = new InterruptHandshake(Thread.currentThread());
				for (int round = 0; round < ROUNDS; round++) {
					InterruptHandshake.Cancellation cancellation = handshake.newCancellation();
					cancellation.begin();
					current[0] = cancellation;
					barrier.await();
					spin(round % 64);
					cancellation.end();
					boolean interruptedBefore = cancellation.reason() != null;
					(interruptedBefore ? before : after).incrementAndGet();
					// The next task: whatever blocks here would see the flag.
					for (int i = 0; i < 50; i++) {
						if (Thread.interrupted()) {
							throw new AssertionError("interrupted after the end, in round " + round);
						}
						Thread.onSpinWait();
					}
					barrier.await();
				}
				return null;
			});
			Future<?> loser = pool.submit(() -> {
				for (int round = 0; round < ROUNDS; round++) {
					barrier.await();
					spin((round / 64) % 64);
					current[0].lost(LockLostReason.SESSION_INVALIDATED);
					barrier.await();
				}
				return null;
			});
			for (Future<?> each : List.of(body, loser)) {
				each.get();
			}
			assertThat(before).as("losses before the end").hasPositiveValue();
			assertThat(before.get() + after.get()).isEqualTo(ROUNDS);
		}
		finally {
			pool.shutdownNow();
		}
	}

	@Test
	void aLossWhileABodyRunsIsNeverMissed() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(2);
		try {
			for (int round = 0; round < 2_000; round++) {
				InterruptHandshake.Cancellation[] cancellation = new InterruptHandshake.Cancellation[1];
				CyclicBarrier started = new CyclicBarrier(2);
				Future<Boolean> body = pool.submit(() -> {
					cancellation[0] = new InterruptHandshake(Thread.currentThread()).newCancellation();
					started.await();
					boolean running = cancellation[0].begin();
					try {
						// Either it does not start, or it ends only by the interrupt.
						while (running && !Thread.interrupted()) {
							Thread.onSpinWait();
						}
					}
					finally {
						cancellation[0].end();
					}
					return Thread.currentThread().isInterrupted();
				});
				started.await();
				cancellation[0].lost(LockLostReason.SESSION_INVALIDATED);
				assertThat(body.get()).isFalse();
			}
		}
		finally {
			pool.shutdownNow();
		}
	}

	@Test
	void anInterruptBySomebodyElseSurvivesManyLosses() {
		List<InterruptHandshake.Cancellation> nested = new ArrayList<>();
		InterruptHandshake handshake = new InterruptHandshake(Thread.currentThread());
		for (int i = 0; i < 3; i++) {
			InterruptHandshake.Cancellation cancellation = handshake.newCancellation();
			assertThat(cancellation.begin()).isTrue();
			assertThat(cancellation.begin()).as("one that runs already").isFalse();
			nested.add(0, cancellation);
		}
		Thread.currentThread().interrupt();
		nested.forEach((each) -> each.lost(LockLostReason.SESSION_INVALIDATED));
		nested.forEach(InterruptHandshake.Cancellation::end);
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void aLostHoldStartsNoBody() {
		InterruptHandshake.Cancellation cancellation = new InterruptHandshake(Thread.currentThread()).newCancellation();
		cancellation.lost(LockLostReason.KEY_DELETED);
		assertThat(cancellation.begin()).isFalse();
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
		assertThat(cancellation.reason()).isEqualTo(LockLostReason.KEY_DELETED);
	}

	private static void spin(int turns) {
		for (int i = 0; i < turns; i++) {
			Thread.onSpinWait();
		}
	}

}
