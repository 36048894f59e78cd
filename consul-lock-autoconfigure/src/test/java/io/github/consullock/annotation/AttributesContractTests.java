package io.github.consullock.annotation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * What the attributes of annotated methods do in Consul, whatever stands for it.
 */
@Timeout(180)
abstract class AttributesContractTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private final List<AnnotationConfigApplicationContext> instances = new ArrayList<>();

	abstract ConsulClient client();

	abstract String prefix();

	@AfterEach
	void leaveNothingBehind() {
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		this.instances.forEach(AnnotationConfigApplicationContext::close);
		assertThat(session("a")).as("the holder of a key that is left").isNull();
		client().close();
	}

	@Test
	void severalKeysAreHeldTogetherAndReleasedTogether() throws Exception {
		Work work = instance();
		work.transfer("a", "b", () -> {
			LockHandle handle = LockHandle.current();
			assertThat(handle.keys()).containsExactly(prefix() + "a", prefix() + "b");
			assertThat(session("a")).isNotNull().isEqualTo(session("b"));
			work.transfer("b", "a", () -> assertThat(LockHandle.current()).isSameAs(handle));
			work.single("b", () -> assertThat(LockHandle.current()).isSameAs(handle));
			assertThatIllegalStateException().isThrownBy(() -> work.transfer("b", "c", Body.NOTHING));
			assertThat(handle.isHeld()).isTrue();
		});
		assertThat(session("a")).isNull();
		assertThat(session("b")).isNull();
	}

	@Test
	void noneOfSeveralKeysIsTakenIfOneIsHeldByAnotherInstance() throws Exception {
		Work first = instance();
		Work second = instance();
		second.single("warm-up", Body.NOTHING);
		first.single("b", () -> {
			assertThat(second.transferOrElse("a", "b", "c")).isEqualTo("held: " + prefix() + "a");
			assertThat(session("a")).isNull();
			assertThat(session("c")).isNull();
		});
		assertThat(second.transferOrElse("a", "b", "c")).isEqualTo("transferred");
	}

	@Test
	void transfersBackAndForthExcludeEachOtherAndNeverDeadlock() throws Exception {
		List<Work> works = List.of(instance(), instance());
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		ExecutorService pool = Executors.newFixedThreadPool(6);
		try {
			List<Future<?>> calls = new ArrayList<>();
			for (int i = 0; i < 24; i++) {
				Work work = works.get(i % 2);
				boolean back = i % 4 < 2;
				calls.add(pool.submit(() -> {
					work.transfer(back ? "b" : "a", back ? "a" : "b", () -> {
						most.accumulateAndGet(running.incrementAndGet(), Math::max);
						running.decrementAndGet();
					});
					return null;
				}));
			}
			for (Future<?> call : calls) {
				call.get();
			}
		}
		finally {
			pool.shutdownNow();
		}
		assertThat(most).hasValue(1);
	}

	@Test
	void theLossOfOneOfSeveralKeysCancelsTheBody() {
		Work work = instance();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> work.transfer("a", "b", () -> {
			client().transact(List.of(KvOperation.delete(prefix() + "b")), TIMEOUT);
			new CountDownLatch(1).await();
		}))
			.withCauseInstanceOf(InterruptedException.class)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.KEY_DELETED));
		await().untilAsserted(() -> assertThat(session("a")).isNull());
	}

	@Test
	void asManyInstancesRunAtOnceAsTheLimitSays() throws Exception {
		Work first = instance();
		Work second = instance();
		Work third = instance();
		third.single("warm-up", Body.NOTHING);
		first.limited(() -> second.limited(() -> {
			assertThat(third.limitedOrSkipped()).isFalse();
			LockHandle handle = LockHandle.current();
			second.limited(() -> assertThat(LockHandle.current()).isSameAs(handle));
		}));
		await().until(third::limitedOrSkipped);
	}

	@Test
	void aBodyThatExceedsItsMaxHoldIsCancelledAndItsLockGivenUp() throws Exception {
		Work first = instance();
		Work second = instance();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(first::tooLong)
			.withCauseInstanceOf(InterruptedException.class)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED));
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
		AtomicInteger ran = new AtomicInteger();
		second.single("a", ran::incrementAndGet);
		assertThat(ran).hasValue(1);
	}

	@Test
	void othersAreKeptOutForAsLongAsTheLockIsToBeHeldAtLeast() throws Exception {
		Work first = instance();
		Work second = instance();
		AtomicLong passedOnAt = new AtomicLong();
		long start = System.nanoTime();
		first.atLeast(Body.NOTHING);
		second.single("a", () -> passedOnAt.set(System.nanoTime()));
		assertThat(Duration.ofNanos(passedOnAt.get() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void aLockThatIsHeldBeyondItsCallIsGivenUpByAProcessThatEnds() throws Exception {
		Work first = instance();
		Work second = instance();
		first.veryLongAtLeast(Body.NOTHING);
		assertThat(session("a")).isNotNull();
		this.instances.get(0).close();
		AtomicInteger ran = new AtomicInteger();
		second.single("a", ran::incrementAndGet);
		assertThat(ran).hasValue(1);
	}

	private @Nullable String session(String key) {
		return client().read(prefix() + key, TIMEOUT).map((entry) -> entry.session()).orElse(null);
	}

	private Work instance() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Work.class);
		context.registerBean(ConsulLockRegistry.class,
				() -> ConsulLockRegistry.builder(client())
					.keyPrefix(prefix())
					.waitTime(Duration.ofSeconds(60))
					.shutdownTimeout(Duration.ofMillis(200))
					.build());
		context.refresh();
		this.instances.add(context);
		return context.getBean(Work.class);
	}

	interface Body {

		Body NOTHING = () -> {
		};

		void run() throws Exception;

	}

	static class Work {

		@DistributedLock("#{#key}")
		public void single(String key, Body body) throws Exception {
			body.run();
		}

		@DistributedLock(keys = { "#{#from}", "#{#to}" })
		public void transfer(String from, String to, Body body) throws Exception {
			body.run();
		}

		@DistributedLock(keys = "#{#accounts}", waitTime = "0s", fallback = "held")
		public String transferOrElse(String... accounts) {
			return "transferred";
		}

		String held(String[] accounts, LockNotAcquiredException failure) {
			return "held: " + failure.key();
		}

		@DistributedLock(key = "limited", limit = 2)
		public void limited(Body body) throws Exception {
			body.run();
		}

		@DistributedLock(key = "limited", limit = 2, waitTime = "5s", onNotAcquired = NotAcquiredPolicy.SKIP)
		public boolean limitedOrSkipped() {
			return true;
		}

		@DistributedLock(key = "a", maxHold = "2s")
		public void tooLong() throws InterruptedException {
			new CountDownLatch(1).await();
		}

		@DistributedLock(key = "a", holdAtLeast = "2s")
		public void atLeast(Body body) throws Exception {
			body.run();
		}

		@DistributedLock(key = "a", holdAtLeast = "1h")
		public void veryLongAtLeast(Body body) throws Exception {
			body.run();
		}

	}

}
