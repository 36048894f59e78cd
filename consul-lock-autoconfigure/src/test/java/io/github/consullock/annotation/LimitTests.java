package io.github.consullock.annotation;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class LimitTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Pool pool;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Pool.class);
		this.registry = LockContext.registry(this.context);
		this.pool = this.context.getBean(Pool.class);
	}

	@AfterEach
	void stop() {
		assertThat(this.registry.isFree()).isTrue();
		this.context.close();
	}

	@Test
	void asManyMayRunAsTheLimitSays() {
		try (LockHandle first = this.registry.semaphore("pool/a", 2).acquire()) {
			this.pool.use("a", () -> assertThat(LockHandle.current()).isNotSameAs(first));
			try (LockHandle second = this.registry.semaphore("pool/a", 2).acquire()) {
				assertThat(second.isHeld()).isTrue();
				assertThatExceptionOfType(LockNotAcquiredException.class)
					.isThrownBy(() -> this.pool.use("a", Pool.NOTHING));
				assertThat(this.pool.useIfFree("a")).isFalse();
			}
		}
	}

	@Test
	void anInnerCallWithTheSameLimitJoins() {
		this.pool.use("a", () -> {
			LockHandle outer = LockHandle.current();
			this.pool.use("a", () -> assertThat(LockHandle.current()).isSameAs(outer));
		});
		assertThat(this.registry.events).containsExactly("acquire locks/pool/a#1", "release locks/pool/a#1");
	}

	@Test
	void aPermitIsNoLockAndAnotherLimitIsAnotherSemaphore() {
		this.pool.use("a", () -> this.pool.lock("a"));
		assertThat(this.registry.events).contains("acquire locks/pool/a#1", "acquire locks/pool/a");
		this.registry.events.clear();
		// What comes of it is up to the registry: one in Consul refuses.
		this.pool.use("a", () -> this.pool.useThree("a"));
		assertThat(this.registry.events).contains("acquire locks/pool/a#1", "acquire locks/pool/a#2");
	}

	@Test
	void aBodyIsCancelledWhenItsPermitIsLost() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.pool.use("a", () -> {
			this.registry.holder("pool/a#1").lose(LockLostReason.SESSION_INVALIDATED);
			assertThat(Thread.currentThread().isInterrupted()).isTrue();
		}));
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	static class Pool {

		static final Runnable NOTHING = () -> {
		};

		@DistributedLock(key = "pool/#{#name}", limit = 2)
		public void use(String name, Runnable body) {
			body.run();
		}

		@DistributedLock(key = "pool/#{#name}", limit = 2, onNotAcquired = NotAcquiredPolicy.SKIP)
		public boolean useIfFree(String name) {
			return true;
		}

		@DistributedLock(key = "pool/#{#name}", limit = 3)
		public void useThree(String name) {
		}

		@DistributedLock("pool/#{#name}")
		public void lock(String name) {
		}

	}

}
