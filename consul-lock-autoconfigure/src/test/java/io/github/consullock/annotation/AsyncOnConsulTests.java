package io.github.consullock.annotation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import io.reactivex.rxjava3.core.Single;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

@ConsulTest
@Timeout(180)
class AsyncOnConsulTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private final PatientClient client;

	private final List<AnnotationConfigApplicationContext> instances = new ArrayList<>();

	private String prefix = "";

	AsyncOnConsulTests(ConsulServer consul) {
		this.client = new PatientClient(consul.httpUri());
	}

	@BeforeEach
	void useKeysOfItsOwn(KeyPrefix keys) {
		this.prefix = keys.key("locks/");
	}

	@AfterEach
	void leaveNothingBehind() {
		for (AnnotationConfigApplicationContext instance : this.instances) {
			await().untilAsserted(() -> assertThat(instance.getBean(ConsulLockRegistry.class).heldLocks()).isEmpty());
			instance.close();
		}
		this.client.close();
	}

	@ParameterizedTest
	@EnumSource
	void oneInstanceRunsUntilItsWorkHasEnded(Kind kind) throws Exception {
		Body first = new Body();
		Body second = new Body();
		CompletableFuture<String> one = kind.start(instance(), first);
		LockHandle handle = first.started.get();
		assertThat(handle.key()).isEqualTo(this.prefix + "work");
		assertThat(session()).isNotNull();
		CompletableFuture<String> two = kind.start(instance(), second);
		assertThat(one).isNotDone();
		assertThat(second.started).isNotDone();
		first.end.complete("one");
		assertThat(one.get()).isEqualTo("one");
		assertThat(handle.isHeld()).isFalse();
		assertThat(second.started.get().fencingToken()).isGreaterThan(handle.fencingToken());
		second.end.completeExceptionally(new IllegalStateException("two"));
		assertThatThrownBy(two::get).isInstanceOf(ExecutionException.class)
			.hasCauseInstanceOf(IllegalStateException.class);
		assertThat(this.client.read(this.prefix + "work", TIMEOUT)).isEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void aCancelReleases(Kind kind) throws Exception {
		Body body = new Body();
		CompletableFuture<String> result = kind.start(instance(), body);
		body.started.get();
		result.cancel(true);
		await().until(() -> this.client.read(this.prefix + "work", TIMEOUT).isEmpty());
		assertThat(body.end).isCancelled();
	}

	@ParameterizedTest
	@EnumSource
	void aCancelEndsTheWait(Kind kind) throws Exception {
		Body body = new Body();
		CompletableFuture<String> result = kind.start(instance(), body);
		body.started.get();
		Body waiting = new Body();
		CompletableFuture<String> given = kind.start(instance(), waiting);
		assertThatThrownBy(() -> given.get(100, TimeUnit.MILLISECONDS)).isNotInstanceOf(ExecutionException.class);
		given.cancel(true);
		body.end.complete("done");
		assertThat(result.get()).isEqualTo("done");
		await().until(() -> this.client.read(this.prefix + "work", TIMEOUT).isEmpty());
		assertThat(waiting.started).isNotDone();
	}

	@ParameterizedTest
	@EnumSource
	void aLossCancels(Kind kind) throws Exception {
		Body body = new Body();
		CompletableFuture<String> result = kind.start(instance(), body);
		body.started.get();
		this.client.destroySession(Objects.requireNonNull(session()));
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.cause()
			.isInstanceOfSatisfying(LockLostException.class,
					(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		assertThat(body.end).isCancelled();
	}

	private @Nullable String session() {
		return this.client.read(this.prefix + "work", TIMEOUT).orElseThrow().session();
	}

	private Work instance() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Work.class);
		context.registerBean(ConsulLockRegistry.class,
				() -> ConsulLockRegistry.builder(this.client)
					.keyPrefix(this.prefix)
					.waitTime(Duration.ofSeconds(60))
					.shutdownTimeout(Duration.ofMillis(200))
					.build());
		context.refresh();
		this.instances.add(context);
		return context.getBean(Work.class);
	}

	/** What a method returns. */
	enum Kind {

		FUTURE {
			@Override
			CompletableFuture<String> start(Work work, Body body) {
				return work.future(body);
			}
		},

		MONO {
			@Override
			CompletableFuture<String> start(Work work, Body body) {
				return work.mono(body).toFuture();
			}
		},

		FLUX {
			@Override
			CompletableFuture<String> start(Work work, Body body) {
				return work.flux(body).last().toFuture();
			}
		},

		SINGLE {
			@Override
			CompletableFuture<String> start(Work work, Body body) {
				return work.single(body).toCompletionStage().toCompletableFuture();
			}
		};

		abstract CompletableFuture<String> start(Work work, Body body);

	}

	/** Work that ends when a test says so. */
	static final class Body {

		final CompletableFuture<LockHandle> started = new CompletableFuture<>();

		final CompletableFuture<String> end = new CompletableFuture<>();

		CompletableFuture<String> start() {
			this.started.complete(LockHandle.current());
			return this.end;
		}

		/** Says that it has started when a cancel reaches it. */
		Mono<String> subscribe() {
			return ReactiveLockHandle.current().flatMap(this::subscribe);
		}

		Mono<String> subscribe(LockHandle handle) {
			return Mono.fromFuture(this.end).doOnRequest((demand) -> this.started.complete(handle));
		}

	}

	static class Work {

		@DistributedLock("work")
		public CompletableFuture<String> future(Body body) {
			return body.start();
		}

		@DistributedLock("work")
		public Mono<String> mono(Body body) {
			return body.subscribe();
		}

		@DistributedLock("work")
		public Flux<String> flux(Body body) {
			return Flux.concat(Flux.just("first"), body.subscribe());
		}

		@DistributedLock("work")
		public Single<String> single(Body body) {
			return Single.fromPublisher(body.subscribe(LockHandle.current()));
		}

	}

}
