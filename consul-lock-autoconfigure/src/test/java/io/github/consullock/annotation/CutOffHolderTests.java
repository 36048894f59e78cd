package io.github.consullock.annotation;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

import io.github.consullock.FaultyProxy;
import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.PauseMeter;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The central promise: who holds, and is cut off from a Consul that goes on serving
 * others, is told before another holds.
 */
@ConsulTest
@Timeout(180)
class CutOffHolderTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration TTL = Duration.ofSeconds(10);

	/** With a margin in which a busy machine has time to run the thread that is told. */
	private static final SessionSettings SETTINGS = new SessionSettings("cut off", TTL, TTL, SessionBehavior.RELEASE,
			List.of(), List.of(), Duration.ofMillis(2500), false);

	/** How the session ends of a holder that is cut off. */
	enum SessionEnd {

		/** Consul waits for renewals, and then for lock-delay. */
		EXPIRED,

		/**
		 * At once, as with the server on which it was created: only lock-delay keeps the
		 * others out until the holder's deadline.
		 */
		DESTROYED

	}

	@ParameterizedTest
	@EnumSource
	void aHolderIsToldWithinTheTtlAndBeforeAnotherHolds(SessionEnd end, ConsulServer consul, KeyPrefix prefix)
			throws Exception {
		Set<String> waiting = ConcurrentHashMap.newKeySet();
		LockListener listener = new LockListener() {

			@Override
			public void waiting(String key) {
				waiting.add(key);
			}

		};
		try (FaultyProxy proxy = new FaultyProxy(consul.httpUri());
				ConsulClient proxied = HttpConsulClient.builder(proxy.uri()).build();
				ConsulClient direct = new PatientClient(consul.httpUri());
				AnnotationConfigApplicationContext first = instance(proxied, prefix, listener);
				AnnotationConfigApplicationContext second = instance(direct, prefix, listener);
				PauseMeter meter = new PauseMeter()) {
			Hold programmatic = new Hold(registry(first).obtain("programmatic").tryAcquire(LONG).orElseThrow());
			CompletableFuture<LockLostReason> reason = new CompletableFuture<>();
			programmatic.handle().onLost((lost) -> {
				programmatic.toldAt().complete(System.nanoTime());
				reason.complete(lost);
			});
			CompletableFuture<Hold> running = new CompletableFuture<>();
			FutureTask<Object> caller = start(() -> first.getBean(Work.class).run(() -> {
				Hold hold = new Hold(LockHandle.current());
				running.complete(hold);
				awaitInterrupt();
				hold.toldAt().complete(System.nanoTime());
				return "interrupted, and swallowed it";
			}));
			Hold annotated = running.join();
			FutureTask<Takeover> nextProgrammatic = start(() -> {
				try (LockHandle handle = registry(second).obtain("programmatic").tryAcquire(LONG).orElseThrow()) {
					return Takeover.of(programmatic, handle);
				}
			});
			FutureTask<Takeover> nextAnnotated = start(
					() -> second.getBean(Work.class).run(() -> Takeover.of(annotated, LockHandle.current())));
			await().until(() -> waiting.size() == 2);
			assertThat(programmatic.handle().isHeld()).isTrue();

			proxy.fallSilent();
			long cutAt = System.nanoTime();
			if (end == SessionEnd.DESTROYED) {
				KvEntry entry = direct.read(programmatic.handle().key(), LONG).orElseThrow();
				direct.destroySession(Objects.requireNonNull(entry.session()));
			}

			for (Takeover takeover : List.of(nextProgrammatic.get(), nextAnnotated.get())) {
				assertThat(takeover.stillHeld()).isFalse();
				long toldAt = takeover.from().toldAt().join();
				assertThat(Duration.ofNanos(toldAt - takeover.at())).isLessThan(meter.paused());
				// The last renewal that can have succeeded was sent before the cut.
				assertThat(Duration.ofNanos(toldAt - cutAt)).isLessThan(TTL.plus(meter.paused()));
				assertThat(takeover.token()).isGreaterThan(takeover.from().handle().fencingToken());
			}
			assertThat(reason.join()).isEqualTo(LockLostReason.DEADLINE_PASSED);
			assertThatExceptionOfType(ExecutionException.class).isThrownBy(caller::get)
				.havingCause()
				.isInstanceOfSatisfying(LockLostException.class,
						(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED));
			// What shuts down need not wait for answers that will never come.
			proxy.close();
		}
	}

	private static <T> FutureTask<T> start(Callable<T> task) {
		FutureTask<T> future = new FutureTask<>(task);
		new Thread(future).start();
		return future;
	}

	private static void awaitInterrupt() {
		assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> new CountDownLatch(1).await());
	}

	private static AnnotationConfigApplicationContext instance(ConsulClient client, KeyPrefix prefix,
			LockListener listener) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Work.class);
		context.registerBean(ConsulLockRegistry.class,
				() -> ConsulLockRegistry.builder(client)
					.keyPrefix(prefix.value())
					.session(SETTINGS)
					.shutdownTimeout(Duration.ofMillis(200))
					.listener(listener)
					.build());
		context.refresh();
		return context;
	}

	private static ConsulLockRegistry registry(AnnotationConfigApplicationContext instance) {
		return instance.getBean(ConsulLockRegistry.class);
	}

	/** A hold of the instance that is cut off, and when it was told or cancelled. */
	record Hold(LockHandle handle, CompletableFuture<Long> toldAt) {

		Hold(LockHandle handle) {
			this(handle, new CompletableFuture<>());
		}

	}

	/** That the other instance holds, and whether the former holder still thinks so. */
	record Takeover(Hold from, boolean stillHeld, long at, long token) {

		static Takeover of(Hold from, LockHandle handle) {
			// First of all: later than when it came to hold would prove less.
			long at = System.nanoTime();
			return new Takeover(from, from.handle().isHeld(), at, handle.fencingToken());
		}

	}

	static class Work {

		@DistributedLock(key = "annotated", waitTime = "2m")
		public <T> T run(Callable<T> body) throws Exception {
			return body.call();
		}

	}

}
