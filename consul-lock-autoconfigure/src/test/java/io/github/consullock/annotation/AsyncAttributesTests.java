package io.github.consullock.annotation;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * The attributes of {@link DistributedLock @DistributedLock} on methods whose work ends
 * later than they return.
 */
@Timeout(180)
class AsyncAttributesTests {

	private final InMemoryConsulClient client = new InMemoryConsulClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.client)
		.waitTime(Duration.ofMinutes(1))
		.shutdownTimeout(Duration.ZERO)
		.build();

	private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

	private final Methods methods;

	AsyncAttributesTests() {
		this.context.register(LockContext.Locking.class, Methods.class);
		this.context.registerBean(ConsulLockRegistry.class, () -> this.registry);
		this.context.refresh();
		this.methods = this.context.getBean(Methods.class);
	}

	@AfterEach
	void nothingIsLeft() {
		await().until(() -> this.registry.heldLocks().isEmpty());
		this.context.close();
		this.client.close();
	}

	@ParameterizedTest
	@EnumSource
	void severalKeysAreHeldUntilTheWorkHasEnded(Kind kind) throws Exception {
		Work work = new Work();
		CompletableFuture<String> result = switch (kind) {
			case FUTURE -> this.methods.futureOfKeys("a", "b", work, null);
			case MONO -> this.methods.monoOfKeys("a", "b", work, null).toFuture();
			case FLUX -> this.methods.fluxOfKeys("a", "b", work, null).last().toFuture();
		};
		LockHandle handle = work.handle();
		assertThat(handle.keys()).containsExactly("locks/a", "locks/b");
		for (String key : List.of("a", "b")) {
			assertThat(this.registry.obtain(key).tryAcquire(Duration.ZERO)).isEmpty();
		}
		work.end.complete("done");
		assertThat(result.get(1, TimeUnit.MINUTES)).isEqualTo("done");
		this.registry.obtainAll(List.of("a", "b")).acquire().close();
	}

	@ParameterizedTest
	@EnumSource
	void asManyRunAsTheLimitSays(Kind kind) throws Exception {
		List<Work> works = List.of(new Work(), new Work(), new Work());
		List<CompletableFuture<String>> results = works.stream().map((work) -> switch (kind) {
			case FUTURE -> this.methods.limitedFuture(work, null);
			case MONO -> this.methods.limitedMono(work, null).toFuture();
			case FLUX -> this.methods.limitedFlux(work, null).last().toFuture();
		}).toList();
		await().until(() -> works.stream().filter((work) -> work.started.isDone()).count() == 2);
		assertThat(this.registry.semaphore("pool", 2).tryAcquire(Duration.ZERO)).isEmpty();
		Work waiting = works.stream().filter((work) -> !work.started.isDone()).findFirst().orElseThrow();
		Work running = works.stream().filter((work) -> work.started.isDone()).findFirst().orElseThrow();
		running.end.complete("done");
		assertThat(waiting.handle().isHeld()).isTrue();
		assertThat(running.handle().isHeld()).isFalse();
		for (int i = 0; i < works.size(); i++) {
			works.get(i).end.complete("done");
			assertThat(results.get(i).get(1, TimeUnit.MINUTES)).isEqualTo("done");
		}
	}

	@ParameterizedTest
	@EnumSource
	void workThatTakesTooLongIsCancelled(Kind kind) throws Exception {
		Work work = new Work();
		CompletableFuture<String> result = switch (kind) {
			case FUTURE -> this.methods.briefFuture(work, null);
			case MONO -> this.methods.briefMono(work, null).toFuture();
			case FLUX -> this.methods.briefFlux(work, null).last().toFuture();
		};
		assertThatThrownBy(() -> result.get(1, TimeUnit.MINUTES)).isInstanceOf(ExecutionException.class)
			.cause()
			.isInstanceOfSatisfying(LockLostException.class,
					(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED));
		// If it has begun in time.
		await().until(() -> work.end.isCancelled() || !work.started.isDone());
	}

	@ParameterizedTest
	@EnumSource
	void othersAreKeptOutForAsLongAsTheLockIsToBeHeldAtLeast(Kind kind) throws Exception {
		Work work = new Work();
		work.end.complete("done");
		CompletableFuture<String> result = switch (kind) {
			case FUTURE -> this.methods.longFuture(work, null);
			case MONO -> this.methods.longMono(work, null).toFuture();
			case FLUX -> this.methods.longFlux(work, null).last().toFuture();
		};
		assertThat(result.get(1, TimeUnit.MINUTES)).isEqualTo("done");
		assertThat(work.handle().isHeld()).isFalse();
		assertThat(this.registry.obtain("long").tryAcquire(Duration.ZERO)).isEmpty();
	}

	/** What a method returns. */
	enum Kind {

		FUTURE, MONO, FLUX

	}

	/** Work that ends when a test says so. */
	static final class Work {

		final CompletableFuture<LockHandle> started = new CompletableFuture<>();

		final CompletableFuture<String> end = new CompletableFuture<>();

		LockHandle handle() throws Exception {
			return this.started.get(1, TimeUnit.MINUTES);
		}

		CompletableFuture<String> run(@Nullable LockHandle handle) {
			this.started.complete(Objects.requireNonNull(handle));
			return this.end;
		}

		Mono<String> publish(@Nullable LockHandle handle) {
			return Mono.fromFuture(this.end)
				.doOnRequest((demand) -> this.started.complete(Objects.requireNonNull(handle)));
		}

	}

	static class Methods {

		@DistributedLock(keys = { "#{#first}", "#{#second}" })
		public CompletableFuture<String> futureOfKeys(String first, String second, Work work,
				@Nullable LockHandle handle) {
			return work.run(handle);
		}

		@DistributedLock(keys = { "#{#first}", "#{#second}" })
		public Mono<String> monoOfKeys(String first, String second, Work work, @Nullable LockHandle handle) {
			return work.publish(handle);
		}

		@DistributedLock(keys = { "#{#first}", "#{#second}" })
		public Flux<String> fluxOfKeys(String first, String second, Work work, @Nullable LockHandle handle) {
			return work.publish(handle).flux();
		}

		@DistributedLock(key = "pool", limit = 2)
		public CompletableFuture<String> limitedFuture(Work work, @Nullable LockHandle handle) {
			return work.run(handle);
		}

		@DistributedLock(key = "pool", limit = 2)
		public Mono<String> limitedMono(Work work, @Nullable LockHandle handle) {
			return work.publish(handle);
		}

		@DistributedLock(key = "pool", limit = 2)
		public Flux<String> limitedFlux(Work work, @Nullable LockHandle handle) {
			return work.publish(handle).flux();
		}

		@DistributedLock(key = "brief", maxHold = "200ms")
		public CompletableFuture<String> briefFuture(Work work, @Nullable LockHandle handle) {
			return work.run(handle);
		}

		@DistributedLock(key = "brief", maxHold = "200ms")
		public Mono<String> briefMono(Work work, @Nullable LockHandle handle) {
			return work.publish(handle);
		}

		@DistributedLock(key = "brief", maxHold = "200ms")
		public Flux<String> briefFlux(Work work, @Nullable LockHandle handle) {
			return work.publish(handle).flux();
		}

		@DistributedLock(key = "long", holdAtLeast = "10m")
		public CompletableFuture<String> longFuture(Work work, @Nullable LockHandle handle) {
			return work.run(handle);
		}

		@DistributedLock(key = "long", holdAtLeast = "10m")
		public Mono<String> longMono(Work work, @Nullable LockHandle handle) {
			return work.publish(handle);
		}

		@DistributedLock(key = "long", holdAtLeast = "10m")
		public Flux<String> longFlux(Work work, @Nullable LockHandle handle) {
			return work.publish(handle).flux();
		}

	}

}
