package io.github.consullock.annotation;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class HoldTimeTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Work work;

	@BeforeEach
	void start() {
		System.setProperty("test.least", "45s");
		this.context = LockContext.start(Work.class);
		this.registry = LockContext.registry(this.context);
		this.work = this.context.getBean(Work.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
		System.clearProperty("test.least");
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
	}

	@Test
	void holdTimesAreThoseOfTheAnnotation() {
		this.work.both();
		assertThat(this.registry.lastObtained().holdAtLeast()).isEqualTo(Duration.ofSeconds(45));
		assertThat(this.registry.lastObtained().maxHold()).isEqualTo(Duration.ofMinutes(2));
		this.work.permit();
		assertThat(this.registry.lastObtained().maxHold()).isEqualTo(Duration.ofSeconds(30));
		assertThat(this.registry.lastObtained().holdAtLeast()).isNull();
		assertThat(this.registry.lastObtained().waitTime()).isEqualTo(LockOptions.FOREVER);
	}

	@Test
	void noneIsSetIfNoneIsGiven() {
		this.work.neither();
		assertThat(this.registry.lastObtained()).isEqualTo(LockOptions.of("neither"));
	}

	@Test
	void aBodyThatTakesTooLongIsCancelled() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(this.work::tooLong)
			.withCauseInstanceOf(InterruptedException.class)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED));
	}

	@Test
	void aBodyThatIsOnlyNotifiedGoesOn() {
		assertThat(this.work.tooLongButNotified()).isEqualTo("ended, not held");
	}

	/** In the place of the registry, whose clock has moved on. */
	private static void exceed() {
		((FakeLockRegistry.FakeHandle) LockHandle.current()).lose(LockLostReason.MAX_HOLD_EXCEEDED);
	}

	static class Work {

		@DistributedLock(key = "both", holdAtLeast = "${test.least}", maxHold = "PT2M")
		public void both() {
		}

		@DistributedLock(key = "permit", limit = 3, maxHold = "30s", waitTime = "forever")
		public void permit() {
		}

		@DistributedLock("neither")
		public void neither() {
		}

		@DistributedLock(key = "long", maxHold = "1ms")
		public void tooLong() throws InterruptedException {
			exceed();
			new CountDownLatch(1).await();
		}

		@DistributedLock(key = "long", maxHold = "1ms", onLost = LossPolicy.NOTIFY)
		public String tooLongButNotified() {
			exceed();
			return LockHandle.current().isHeld() ? "held" : "ended, not held";
		}

	}

}
