package io.github.consullock.annotation;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.SimpleAsyncTaskExecutor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * {@link Async @Async} methods whose work goes on after they have returned.
 */
@Timeout(120)
class AsyncAnnotationTests {

	private AnnotationConfigApplicationContext context;

	private ConsulLockRegistry registry;

	private Orders orders;

	@BeforeEach
	void start() {
		this.context = new AnnotationConfigApplicationContext(LockContext.Locking.class, Application.class);
		this.registry = this.context.getBean(ConsulLockRegistry.class);
		this.orders = this.context.getBean(Orders.class);
	}

	@AfterEach
	void nothingIsLeft() {
		await().until(() -> this.registry.heldLocks().isEmpty());
		this.context.close();
	}

	@Test
	void theLockIsHeldUntilTheWorkHasEndedAndTheCallerWaitsForNeither() throws Exception {
		Work work = new Work();
		CompletableFuture<String> result;
		try (LockHandle other = this.registry.obtain("orders/7").acquire()) {
			result = this.orders.ship(7, work);
			assertThat(other.isHeld()).isTrue();
			assertThat(work.started).isNotDone();
		}
		LockHandle handle = work.started.get(1, TimeUnit.MINUTES);
		assertThat(handle.key()).isEqualTo("locks/orders/7");
		assertThat(handle.isHeld()).isTrue();
		assertThat(this.registry.obtain("orders/7").tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(result).isNotDone();
		work.end.complete("shipped");
		assertThat(result.get(1, TimeUnit.MINUTES)).isEqualTo("shipped");
		assertThat(handle.isHeld()).isFalse();
	}

	@Test
	void aLossCancelsTheWorkAndFailsTheResult() throws Exception {
		Work work = new Work();
		CompletableFuture<String> result = this.orders.ship(7, work);
		LockHandle handle = work.started.get(1, TimeUnit.MINUTES);
		ConsulClient client = this.context.getBean(ConsulClient.class);
		client.destroySession(client.read(handle.key(), Duration.ofMinutes(1)).orElseThrow().session());
		assertThatThrownBy(() -> result.get(1, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class)
			.cause()
			.isInstanceOfSatisfying(LockLostException.class,
					(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		assertThat(work.end).isCancelled();
	}

	@Test
	void aCallThatDoesNotGetTheLockFailsTheResult() {
		try (LockHandle other = this.registry.obtain("orders/7").acquire()) {
			Work work = new Work();
			CompletableFuture<String> result = this.orders.tryToShip(7, work);
			assertThatThrownBy(() -> result.get(1, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class)
				.hasCauseInstanceOf(LockNotAcquiredException.class);
			assertThat(work.started).isNotDone();
			assertThat(other.isHeld()).isTrue();
		}
	}

	/** Work that ends when a test says so. */
	static final class Work {

		final CompletableFuture<LockHandle> started = new CompletableFuture<>();

		final CompletableFuture<String> end = new CompletableFuture<>();

	}

	static class Orders {

		@Async
		@DistributedLock("orders/#{#id}")
		public CompletableFuture<String> ship(long id, Work work) {
			work.started.complete(LockHandle.current());
			return work.end;
		}

		@Async
		@DistributedLock(key = "orders/#{#id}", waitTime = "0s")
		public CompletableFuture<String> tryToShip(long id, Work work) {
			return ship(id, work);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	static class Application {

		@Bean
		InMemoryConsulClient consulClient() {
			return new InMemoryConsulClient();
		}

		@Bean
		ConsulLockRegistry consulLockRegistry(ConsulClient client) {
			return ConsulLockRegistry.builder(client)
				.waitTime(Duration.ofMinutes(1))
				.shutdownTimeout(Duration.ZERO)
				.build();
		}

		@Bean
		SimpleAsyncTaskExecutor taskExecutor() {
			return new SimpleAsyncTaskExecutor("async-");
		}

		@Bean
		Orders orders() {
			return new Orders();
		}

	}

}
