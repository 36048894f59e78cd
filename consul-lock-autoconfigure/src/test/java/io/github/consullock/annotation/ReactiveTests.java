package io.github.consullock.annotation;

import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.test.publisher.TestPublisher;
import reactor.util.function.Tuples;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

@Timeout(120)
class ReactiveTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Publishers publishers;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Publishers.class);
		this.registry = LockContext.registry(this.context);
		this.publishers = this.context.getBean(Publishers.class);
	}

	@AfterEach
	void leaveNothingBehind() {
		LockContext.closeWhenIdle(this.context);
	}

	@Test
	void nothingIsLockedBeforeASubscriptionAndEachOneLocksAnew() {
		AtomicInteger runs = new AtomicInteger();
		Mono<Integer> mono = this.publishers.mono(() -> Mono.just(runs.incrementAndGet()));
		assertThat(this.registry.events).isEmpty();
		assertThat(mono.block(TIMEOUT)).isEqualTo(1);
		assertThat(mono.block(TIMEOUT)).isEqualTo(2);
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a", "acquire locks/a",
				"release locks/a");
	}

	@Test
	void aRetryLocksAnew() {
		AtomicInteger runs = new AtomicInteger();
		assertThat(this.publishers
			.flux(() -> (runs.incrementAndGet() < 3) ? Flux.error(new IllegalStateException()) : Flux.just("third"))
			.retry(2)
			.collectList()
			.block(TIMEOUT)).containsExactly("third");
		assertThat(this.registry.events).filteredOn((event) -> event.startsWith("acquire")).hasSize(3);
	}

	@Test
	void theLockIsHeldUntilThePublisherEnds() {
		Sinks.Many<String> body = Sinks.many().unicast().onBackpressureBuffer();
		List<String> received = new CopyOnWriteArrayList<>();
		CompletableFuture<Boolean> free = new CompletableFuture<>();
		this.publishers.flux(body::asFlux)
			.doFinally((signal) -> free.complete(this.registry.isFree()))
			.subscribe(received::add);
		body.tryEmitNext("a");
		await().untilAsserted(() -> assertThat(received).containsExactly("a"));
		assertThat(this.registry.isFree()).isFalse();
		body.tryEmitNext("b");
		body.tryEmitComplete();
		assertThat(free.join()).as("free when the subscriber learns of the end").isTrue();
		assertThat(received).containsExactly("a", "b");
	}

	@Test
	void theValueOfAMonoComesAfterTheRelease() {
		assertThat(this.publishers.mono(() -> Mono.just("")).map((value) -> this.registry.isFree()).block(TIMEOUT))
			.isTrue();
	}

	@Test
	void aThreadThatMustNotBlockDoesNot() {
		assertThat(this.publishers.mono(() -> Mono.just("").publishOn(Schedulers.parallel()))
			.subscribeOn(Schedulers.parallel())
			.block(TIMEOUT)).isEmpty();
		assertThat(this.publishers.flux(() -> Flux.just("").publishOn(Schedulers.parallel()))
			.subscribeOn(Schedulers.parallel())
			.collectList()
			.block(TIMEOUT)).containsExactly("");
	}

	@Test
	void theMethodDoesNotRunOnTheThreadOfTheSubscriber() {
		Thread subscriber = Thread.currentThread();
		for (int i = 0; i < 200; i++) {
			assertThat(this.publishers.mono(() -> Mono.just(Thread.currentThread())).block(TIMEOUT))
				.isNotSameAs(subscriber);
		}
	}

	@Test
	void theMethodHasTheContextClassLoaderOfItsCaller() {
		ClassLoader callers = new URLClassLoader(new URL[0]);
		Thread thread = Thread.currentThread();
		ClassLoader usual = thread.getContextClassLoader();
		Mono<ClassLoader> mono;
		thread.setContextClassLoader(callers);
		try {
			mono = this.publishers.mono(() -> Mono.just(Thread.currentThread().getContextClassLoader()));
		}
		finally {
			thread.setContextClassLoader(usual);
		}
		assertThat(mono.block(TIMEOUT)).isSameAs(callers);
	}

	@Test
	void demandReachesTheBody() {
		TestPublisher<String> body = TestPublisher.create();
		AtomicLong requested = new AtomicLong();
		BaseSubscriber<String> subscriber = new BaseSubscriber<>() {
			@Override
			protected void hookOnSubscribe(Subscription subscription) {
				subscription.request(3);
			}
		};
		this.publishers.flux(() -> body.flux().doOnRequest(requested::addAndGet)).subscribe(subscriber);
		await().untilAsserted(() -> assertThat(requested).hasValue(3));
		subscriber.request(2);
		assertThat(requested).hasValue(5);
		subscriber.cancel();
		await().until(this.registry::isFree);
		body.assertCancelled();
	}

	@Test
	void whatTheBodyFailsWithReachesTheSubscriberAfterTheRelease() {
		IllegalStateException failure = new IllegalStateException("body");
		CompletableFuture<Boolean> free = new CompletableFuture<>();
		this.publishers.flux(() -> Flux.concat(Flux.just("a"), Mono.error(failure)))
			.doOnError((ex) -> free.complete(ex == failure && this.registry.isFree()))
			.onErrorComplete()
			.blockLast(TIMEOUT);
		assertThat(free.join()).isTrue();
	}

	@Test
	void aMethodThatThrowsFailsThePublisher() {
		IllegalStateException failure = new IllegalStateException("body");
		assertThatIllegalStateException().isThrownBy(() -> this.publishers.mono(() -> {
			throw failure;
		}).block(TIMEOUT)).isSameAs(failure);
		assertThat(this.publishers.<String>mono(() -> null).block(TIMEOUT)).isNull();
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void aCancelEndsTheWait() {
		this.registry.turn = new CompletableFuture<>();
		Disposable subscription = this.publishers.mono(() -> {
			throw new AssertionError("ran");
		}).subscribe();
		subscription.dispose();
		this.registry.turn.complete(null);
		assertThat(this.registry.events).containsExactly("cancel locks/a");
	}

	@Test
	void aCancelCancelsTheBodyAndReleases() {
		TestPublisher<String> body = TestPublisher.create();
		Disposable subscription = this.publishers.flux(body::flux).subscribe();
		await().until(body::wasSubscribed);
		assertThat(this.registry.isFree()).isFalse();
		subscription.dispose();
		await().until(this.registry::isFree);
		body.assertCancelled();
	}

	@Test
	void aCancelWhileTheMethodRunsReleasesOnceItHasReturned() throws Exception {
		CountDownLatch running = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		AtomicInteger started = new AtomicInteger();
		Disposable subscription = this.publishers.mono(() -> {
			running.countDown();
			try {
				cancelled.await();
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
			return Mono.fromCallable(started::incrementAndGet);
		}).subscribe();
		running.await();
		subscription.dispose();
		assertThat(this.registry.isFree()).isFalse();
		cancelled.countDown();
		await().until(this.registry::isFree);
		assertThat(started).hasValue(0);
	}

	@Test
	void manyCancelsAtAnyMomentLeaveNothingBehind() throws Exception {
		for (int i = 0; i < 300; i++) {
			int key = i;
			Disposable subscription = this.publishers.keyed(i, () -> Mono.just(key).hide()).subscribe();
			for (int spin = 0; spin < i * 50; spin++) {
				Thread.onSpinWait();
			}
			subscription.dispose();
		}
		// All that was begun ends, and in a release where it came to a hold.
		await().untilAsserted(() -> assertThat(this.registry.heldLocks()).isEmpty());
	}

	@Test
	void aLossDisposesOfTheBodyAndFailsTheSubscriber() {
		for (boolean single : new boolean[] { true, false }) {
			TestPublisher<String> body = TestPublisher.create();
			CompletableFuture<String> result = (single ? this.publishers.mono(body::mono)
					: this.publishers.flux(body::flux).next())
				.toFuture();
			await().until(body::wasSubscribed);
			this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> Mono.fromFuture(result).block(TIMEOUT))
				.satisfies((ex) -> {
					assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
					assertThat(ex.key()).isEqualTo("locks/a");
				});
			body.assertCancelled();
		}
	}

	@Test
	void aLossThatOnlyTheReleaseDiscoversFailsTheSubscriber() {
		IllegalStateException failure = new IllegalStateException("body");
		for (Mono<String> end : List.of(Mono.just("done"), Mono.<String>error(failure))) {
			boolean fails = end.onErrorComplete().blockOptional().isEmpty();
			for (boolean single : new boolean[] { true, false }) {
				Supplier<Mono<String>> body = () -> Mono.defer(() -> {
					this.registry.holder("a").loseSilently(LockLostReason.DEADLINE_PASSED);
					return end;
				});
				Mono<?> result = single ? this.publishers.mono(body)
						: this.publishers.flux(() -> body.get().flux()).collectList();
				assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> result.block(TIMEOUT))
					.satisfies((ex) -> {
						assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED);
						assertThat(ex.getCause()).isSameAs(fails ? failure : null);
					});
			}
		}
	}

	@Test
	void withNotifyTheBodyGoesOn() {
		Sinks.One<String> body = Sinks.one();
		CompletableFuture<String> result = this.publishers.notified(body::asMono).toFuture();
		await().until(() -> body.currentSubscriberCount() == 1);
		this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
		assertThat(result).isNotDone();
		body.tryEmitValue("went on");
		assertThat(result.join()).isEqualTo("went on");
	}

	@Test
	void aCallThatDoesNotGetTheLockFailsThePublisherOrSkips() {
		try (LockHandle other = this.registry.obtain("a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> this.publishers.mono(() -> Mono.just("ran")).block(TIMEOUT));
			assertThat(this.publishers.skippingMono(() -> Mono.just("ran")).block(TIMEOUT)).isNull();
			assertThat(this.publishers.skippingFlux(() -> Flux.just("ran")).collectList().block(TIMEOUT)).isEmpty();
		}
		assertThat(this.publishers.skippingMono(() -> Mono.just("ran")).block(TIMEOUT)).isEqualTo("ran");
	}

	@Test
	void onlyAnAcquisitionInVainIsSkipped() {
		this.registry.failure = new ConsulUnavailableException("no answer");
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.publishers.skippingMono(() -> Mono.just("ran")).block(TIMEOUT));
		this.registry.failure = null;
		LockNotAcquiredException another = new LockNotAcquiredException("b", "body");
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.publishers.skippingMono(() -> Mono.error(another)).block(TIMEOUT))
			.isSameAs(another);
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.publishers.skippingFlux(() -> {
			throw another;
		}).blockLast(TIMEOUT)).isSameAs(another);
	}

	@Test
	void theHoldIsInTheContextOfTheBodyAndNotOfTheSubscriber() {
		Mono<String> key = ReactiveLockHandle.current().map(LockHandle::key);
		assertThat(this.publishers.mono(() -> Mono.just(LockHandle.current().key()).zipWith(key)).block(TIMEOUT))
			.isEqualTo(Tuples.of("locks/a", "locks/a"));
		assertThat(this.publishers.mono(() -> this.publishers.keyed(1, () -> key).zipWith(key)).block(TIMEOUT))
			.isEqualTo(Tuples.of("locks/b/1", "locks/a"));
		assertThatIllegalStateException()
			.isThrownBy(() -> this.publishers.mono(() -> Mono.just("")).then(key).block(TIMEOUT))
			.withMessageContaining("Reactor context");
	}

	@Test
	void aCallOfTheSameKeyInTheSameContextJoins() {
		assertThat(this.publishers
			.mono(() -> Mono.delay(Duration.ofMillis(1))
				.flatMap((tick) -> this.publishers.keyed(1,
						() -> this.publishers.flux(() -> Flux.just("joined")).next())))
			.block(TIMEOUT)).isEqualTo("joined");
		assertThat(this.registry.events).containsExactly("acquire locks/a", "acquire locks/b/1", "release locks/b/1",
				"release locks/a");
	}

	@Test
	void aSubscriptionWhileTheMethodRunsJoinsAndTheHoldLastsUntilItHasEnded() {
		Sinks.One<String> joined = Sinks.one();
		CompletableFuture<String> result = this.publishers.mono(() -> {
			this.publishers.mono(joined::asMono).subscribe();
			return Mono.just("done");
		}).toFuture();
		await().until(() -> joined.currentSubscriberCount() == 1);
		assertThat(this.registry.events).containsExactly("acquire locks/a");
		assertThat(result).isNotDone();
		joined.tryEmitValue("");
		assertThat(result.join()).isEqualTo("done");
	}

	@Test
	void aLossReachesWhatJoinedToo() {
		TestPublisher<String> joined = TestPublisher.create();
		CompletableFuture<String> result = this.publishers.mono(() -> this.publishers.mono(joined::mono)).toFuture();
		await().until(joined::wasSubscribed);
		this.registry.holder("a").lose(LockLostReason.KEY_DELETED);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> Mono.fromFuture(result).block(TIMEOUT));
		joined.assertCancelled();
	}

	static class Publishers {

		@DistributedLock("a")
		public <T> Mono<T> mono(Supplier<Mono<T>> body) {
			return body.get();
		}

		@DistributedLock("a")
		public <T> Flux<T> flux(Supplier<Flux<T>> body) {
			return body.get();
		}

		@DistributedLock("b/#{#id}")
		public <T> Mono<T> keyed(int id, Supplier<Mono<T>> body) {
			return body.get();
		}

		@DistributedLock(key = "a", onLost = LossPolicy.NOTIFY)
		public <T> Mono<T> notified(Supplier<Mono<T>> body) {
			return body.get();
		}

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public <T> Mono<T> skippingMono(Supplier<Mono<T>> body) {
			return body.get();
		}

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public <T> Flux<T> skippingFlux(Supplier<Flux<T>> body) {
			return body.get();
		}

	}

}
