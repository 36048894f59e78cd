package io.github.consullock.annotation;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Losses at awkward moments: around the end of a body, during the release, and of one of
 * several locks of a thread.
 */
@Timeout(120)
class LossMomentsTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Outer outer;

	private Inner inner;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Outer.class, Inner.class);
		this.registry = LockContext.registry(this.context);
		this.outer = this.context.getBean(Outer.class);
		this.inner = this.context.getBean(Inner.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void aLossAsTheBodyReturnsIsToldOrTooLateButNeverLeftToTheNextTask() throws Exception {
		int rounds = 3_000;
		ExecutorService pool = Executors.newFixedThreadPool(2);
		try {
			SynchronousQueue<FakeLockRegistry.FakeHandle> running = new SynchronousQueue<>();
			Future<?> caller = pool.submit(() -> {
				for (int round = 0; round < rounds; round++) {
					int turns = round % 200;
					try {
						this.outer.run("a", () -> {
							running.put((FakeLockRegistry.FakeHandle) LockHandle.current());
							for (int i = 0; i < turns; i++) {
								Thread.onSpinWait();
							}
						});
					}
					catch (LockLostException ex) {
						assertThat(ex.reason()).isEqualTo(LockLostReason.TAKEN_OVER);
					}
					// The thread's next task.
					for (int i = 0; i < 200; i++) {
						assertThat(Thread.currentThread().isInterrupted()).isFalse();
					}
				}
				return null;
			});
			Future<?> loser = pool.submit(() -> {
				for (int round = 0; round < rounds; round++) {
					running.take().lose(LockLostReason.TAKEN_OVER);
				}
				return null;
			});
			caller.get();
			loser.get();
		}
		finally {
			pool.shutdownNow();
		}
	}

	@Test
	void aLossOfWhichTheThreadIsToldOnlyLaterDoesNotInterruptItsNextTask() {
		FakeLockRegistry.FakeHandle[] hold = new FakeLockRegistry.FakeHandle[1];
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a", () -> {
			hold[0] = this.registry.holder("a");
			hold[0].loseSilently(LockLostReason.DEADLINE_PASSED);
		}));
		hold[0].tell();
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void aLossDuringTheReleaseIsToldWithoutAnInterrupt() throws Exception {
		this.registry.beforeRelease = (handle) -> {
			handle.lose(LockLostReason.SESSION_INVALIDATED);
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		};
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a", Body.NOTHING))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		assertThat(this.outer.notified("a", () -> {
		})).isEqualTo("ended");
	}

	@Test
	void whatTheBodyThrowsIsTheCauseOfALossDuringTheReleaseToo() {
		this.registry.beforeRelease = (handle) -> handle.lose(LockLostReason.SESSION_INVALIDATED);
		Exception failure = new Exception("body");
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a", () -> {
			throw failure;
		})).satisfies((ex) -> assertThat(ex.getCause()).isSameAs(failure));
	}

	@Test
	void anInterruptBySomebodyElseDuringTheReleaseStaysSet() throws Exception {
		this.registry.beforeRelease = (handle) -> Thread.currentThread().interrupt();
		this.outer.run("a", Body.NOTHING);
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void theLossOfTheOuterLockInterruptsTheInnerBody() {
		Exception[] failure = new Exception[1];
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.outer.run("a", () -> this.inner.run("b", () -> {
				loseFromOutside("a");
				try {
					new CountDownLatch(1).await();
				}
				catch (InterruptedException ex) {
					failure[0] = ex;
					throw ex;
				}
			})))
			.satisfies((ex) -> {
				assertThat(ex.key()).isEqualTo("locks/a");
				// The inner lock was not lost: what its body threw came through.
				assertThat(ex.getCause()).isSameAs(failure[0]);
			});
		assertThat(this.registry.events).containsExactly("acquire locks/a", "acquire locks/b", "release locks/b",
				"release lost locks/a");
	}

	@Test
	void anInnerBodyThatSwallowsTheInterruptOfTheOuterLockEndsNormallyAndTheOuterCallIsTold() {
		String[] result = new String[1];
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a", () -> {
			result[0] = this.inner.run("b", () -> {
				this.registry.holder("a").lose(LockLostReason.TAKEN_OVER);
				assertThat(Thread.interrupted()).isTrue();
			});
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		})).satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/a"));
		assertThat(result).containsExactly("inner ended");
	}

	@Test
	void theLossOfBothIsToldToEach() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a",
				() -> assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.inner.run("b", () -> {
					this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
					this.registry.holder("b").lose(LockLostReason.SESSION_INVALIDATED);
				})).satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/b"))))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/a"));
	}

	@Test
	void aCallThroughASecondBeanJoinsAndIsToldOfTheSameLoss() {
		LockLostException[] told = new LockLostException[1];
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.outer.run("a", () -> {
			LockHandle handle = LockHandle.current();
			try {
				this.inner.run("a", () -> {
					assertThat(LockHandle.current()).isSameAs(handle);
					loseFromOutside("a");
					new CountDownLatch(1).await();
				});
			}
			catch (LockLostException ex) {
				told[0] = ex;
				throw ex;
			}
		})).satisfies((ex) -> assertThat(ex).isSameAs(told[0])).withCauseInstanceOf(InterruptedException.class);
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release lost locks/a");
	}

	@Test
	void aCallThroughASecondBeanAndBackJoinsTheFirst() throws Exception {
		List<String> events = this.registry.events;
		this.outer.run("a", () -> this.inner.run("a", () -> this.outer.run("a", () -> assertThat(events).hasSize(1))));
		assertThat(events).containsExactly("acquire locks/a", "release locks/a");
	}

	private void loseFromOutside(String key) {
		FakeLockRegistry.FakeHandle handle = this.registry.holder(key);
		new Thread(() -> handle.lose(LockLostReason.TAKEN_OVER)).start();
	}

	interface Body {

		Body NOTHING = () -> {
		};

		void run() throws Exception;

	}

	static class Outer {

		@DistributedLock("#{#key}")
		public void run(String key, Body body) throws Exception {
			body.run();
		}

		@DistributedLock(key = "#{#key}", onLost = LossPolicy.NOTIFY)
		public String notified(String key, Body body) throws Exception {
			body.run();
			return "ended";
		}

	}

	static class Inner {

		@DistributedLock("#{#key}")
		public String run(String key, Body body) throws Exception {
			body.run();
			return "inner ended";
		}

	}

}
