package io.github.consullock.annotation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PauseMeter;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.SessionRequest.Behavior;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Consul keeps its connections open and says nothing while a body runs.
 */
@Timeout(180)
class AnnotatedMethodOnFrozenConsulTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	/** With a margin in which a busy machine has time to run the thread that is told. */
	private static final SessionSettings SETTINGS = new SessionSettings("frozen", TTL, TTL, Behavior.RELEASE, List.of(),
			List.of(), Duration.ofMillis(2500), false);

	@Test
	void theBodyIsCancelledWithinTheTtlAndBeforeAnotherInstanceRuns() throws Exception {
		try (ConsulServer consul = ConsulServer.start();
				HttpConsulClient client = HttpConsulClient.builder(consul.httpUri()).build();
				AnnotationConfigApplicationContext first = instance(client);
				AnnotationConfigApplicationContext second = instance(client);
				PauseMeter meter = new PauseMeter()) {
			second.getBean(Work.class).run(() -> null);
			AtomicLong frozenAt = new AtomicLong();
			AtomicLong cancelledAt = new AtomicLong();
			List<Long> tokens = new ArrayList<>();
			CountDownLatch running = new CountDownLatch(1);
			CompletableFuture<Throwable> caller = CompletableFuture.supplyAsync(() -> failure(first, () -> {
				tokens.add(LockHandle.current().fencingToken());
				consul.pause();
				frozenAt.set(System.nanoTime());
				running.countDown();
				awaitInterrupt();
				cancelledAt.set(System.nanoTime());
				return "interrupted, and swallowed it";
			}), AnnotatedMethodOnFrozenConsulTests::start);
			running.await();
			CompletableFuture<Long> otherRanAt = CompletableFuture.supplyAsync(() -> {
				AtomicLong at = new AtomicLong();
				assertThat(failure(second, () -> {
					at.set(System.nanoTime());
					tokens.add(LockHandle.current().fencingToken());
					return null;
				})).isNull();
				return at.get();
			}, AnnotatedMethodOnFrozenConsulTests::start);
			assertThat(caller.join()).isInstanceOfSatisfying(LockLostException.class,
					(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED));
			// The last renewal that can have succeeded was sent before Consul froze.
			assertThat(Duration.ofNanos(cancelledAt.get() - frozenAt.get())).isLessThan(TTL.plus(meter.paused()));
			assertThat(otherRanAt).isNotDone();
			consul.resume();
			assertThat(otherRanAt.join() - cancelledAt.get()).isPositive();
			assertThat(tokens).hasSize(2).isSorted().doesNotHaveDuplicates();
		}
	}

	/** Whatever the common pool is busy with, both run at once. */
	private static void start(Runnable task) {
		new Thread(task).start();
	}

	private static void awaitInterrupt() {
		assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> new CountDownLatch(1).await());
	}

	private static Throwable failure(AnnotationConfigApplicationContext instance, Callable<Object> body) {
		try {
			instance.getBean(Work.class).run(body);
			return null;
		}
		catch (Exception ex) {
			return ex;
		}
	}

	private static AnnotationConfigApplicationContext instance(HttpConsulClient client) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Work.class);
		context.registerBean(ConsulLockRegistry.class,
				() -> ConsulLockRegistry.builder(client)
					.session(SETTINGS)
					.shutdownTimeout(Duration.ofMillis(200))
					.build());
		context.refresh();
		return context;
	}

	static class Work {

		@DistributedLock(key = "work", waitTime = "2m")
		public Object run(Callable<Object> body) throws Exception {
			return body.call();
		}

	}

}
