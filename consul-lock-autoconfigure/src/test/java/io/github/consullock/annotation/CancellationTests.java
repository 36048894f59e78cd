package io.github.consullock.annotation;

import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(60)
class CancellationTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Work work;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Work.class);
		this.registry = LockContext.registry(this.context);
		this.work = this.context.getBean(Work.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
	}

	@Test
	void aBlockedBodyIsInterruptedAndItsCallerTold() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			loseFromOutside("a", LockLostReason.TAKEN_OVER);
			new CountDownLatch(1).await();
		})).withCauseInstanceOf(InterruptedException.class).satisfies((ex) -> {
			assertThat(ex.key()).isEqualTo("locks/a");
			assertThat(ex.fencingToken()).isEqualTo(1);
			assertThat(ex.reason()).isEqualTo(LockLostReason.TAKEN_OVER);
		});
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void aBodyThatSwallowsTheInterruptIsToldOfNoLessThanOneThatIgnoresIt() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			lose("a");
			assertThat(Thread.interrupted()).isTrue();
		})).withNoCause();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> lose("a")))
			.withNoCause();
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void whateverTheBodyThrowsIsTheCause() {
		Exception checked = new InterruptedIOException();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			lose("a");
			throw checked;
		})).satisfies((ex) -> assertThat(ex.getCause()).isSameAs(checked));
	}

	@Test
	void whatTheBodyLearnsFromItsHandleIsNotWrappedAgain() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			lose("a");
			LockHandle.current().ensureHeld();
		})).withNoCause();
	}

	@Test
	void aLossThatIsFoundOnlyAtTheReleaseIsTold() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.work.cancelled("a",
					() -> this.registry.holder("a").loseSilently(LockLostReason.DEADLINE_PASSED)))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED));
	}

	@Test
	void aNotifiedBodyGoesOnAndKeepsItsResult() throws Exception {
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		this.work.notified("a", () -> {
			LockHandle handle = LockHandle.current();
			handle.onLost(told::complete);
			lose("a");
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
			assertThat(handle.isHeld()).isFalse();
		});
		assertThat(told).isCompletedWithValue(LockLostReason.SESSION_INVALIDATED);
		Exception checked = new Exception("checked");
		assertThatThrownBy(() -> this.work.notified("a", () -> {
			lose("a");
			throw checked;
		})).isSameAs(checked);
	}

	@Test
	void anInnerCallOfALostHoldDoesNotStart() {
		AtomicBoolean started = new AtomicBoolean();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.notified("a", () -> {
			lose("a");
			this.work.notified("a", () -> started.set(true));
		}));
		assertThat(started).isFalse();
	}

	@Test
	void anInnerCallThatJoinedIsInterruptedOnceAndToldToo() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
				loseFromOutside("a", LockLostReason.TAKEN_OVER);
				new CountDownLatch(1).await();
			})).withCauseInstanceOf(InterruptedException.class);
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
			throw new IllegalStateException("outer");
		})).withCauseInstanceOf(IllegalStateException.class);
	}

	@Test
	void anInnerCallIsCancelledInsideOfOneThatIsNotified() throws Exception {
		this.work.notified("a", () -> {
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
				loseFromOutside("a", LockLostReason.TAKEN_OVER);
				new CountDownLatch(1).await();
			})).withCauseInstanceOf(InterruptedException.class);
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		});
	}

	@Test
	void aLossAfterTheInnerCallDoesNotInterruptTheOuterOneThatIsNotified() throws Exception {
		this.work.notified("a", () -> {
			this.work.cancelled("a", () -> {
			});
			lose("a");
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		});
	}

	@Test
	void theLossOfAnInnerKeyLeavesTheOuterBodyRunning() throws Exception {
		this.work.cancelled("a", () -> {
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> this.work.cancelled("b", () -> lose("b")))
				.satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/b"));
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
			assertThat(LockHandle.current().isHeld()).isTrue();
		});
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void theInterruptOfAnOuterBodyOutlivesTheEndOfAnInnerOneThatWasCancelledToo() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("b", () -> {
				lose("b");
				lose("a");
				assertThat(Thread.interrupted()).isTrue();
			})).satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/b"));
			assertThat(Thread.currentThread().isInterrupted()).isTrue();
		})).satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/a"));
	}

	@Test
	void aCancelledBodyThatWaitsForAnotherLockIsToldOfTheLoss() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			lose("a");
			this.work.cancelled("b", () -> {
			});
		})).withCauseInstanceOf(LockInterruptedException.class);
	}

	@Test
	void somebodyElsesInterruptStaysSet() throws Exception {
		this.work.cancelled("a", () -> Thread.currentThread().interrupt());
		assertThat(Thread.interrupted()).as("without a loss").isTrue();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.cancelled("a", () -> {
			Thread.currentThread().interrupt();
			lose("a");
		}));
		assertThat(Thread.interrupted()).as("with a loss after it").isTrue();
	}

	@Test
	void aBodyThatReleasedItsLockItselfIsNotCancelledAndKeepsItsResult() throws Exception {
		this.work.cancelled("a", () -> LockHandle.current().release());
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	private void lose(String key) {
		this.registry.holder(key).lose(LockLostReason.SESSION_INVALIDATED);
	}

	private void loseFromOutside(String key, LockLostReason reason) {
		FakeLockRegistry.FakeHandle handle = this.registry.holder(key);
		Thread thread = new Thread(() -> handle.lose(reason));
		thread.start();
	}

	interface Body {

		void run() throws Exception;

	}

	static class Work {

		@DistributedLock("#{#key}")
		public void cancelled(String key, Body body) throws Exception {
			body.run();
		}

		@DistributedLock(key = "#{#key}", onLost = LossPolicy.NOTIFY)
		public void notified(String key, Body body) throws Exception {
			body.run();
		}

	}

}
