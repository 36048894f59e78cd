package io.github.consullock.annotation;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.reactivex.rxjava3.core.Completable;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Maybe;
import io.reactivex.rxjava3.core.Observable;
import io.reactivex.rxjava3.core.Single;
import io.reactivex.rxjava3.disposables.Disposable;
import io.reactivex.rxjava3.subjects.SingleSubject;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Publisher;
import reactor.adapter.JdkFlowAdapter;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

@Timeout(120)
class ReactiveLibrariesTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Libraries libraries;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Libraries.class);
		this.registry = LockContext.registry(this.context);
		this.libraries = this.context.getBean(Libraries.class);
	}

	@AfterEach
	void leaveNothingBehind() {
		LockContext.closeWhenIdle(this.context);
	}

	@Test
	void everyTypeIsLockedWhileItRuns() {
		Supplier<Boolean> held = () -> !this.registry.isFree();
		assertLocked(this.libraries.single(Single.fromSupplier(held::get)).blockingGet());
		assertLocked(this.libraries.maybe(Maybe.fromSupplier(held::get)).blockingGet());
		assertLocked(this.libraries.flowable(Flowable.fromSupplier(held::get)).blockingFirst());
		assertLocked(this.libraries.observable(Observable.fromSupplier(held::get)).blockingFirst());
		CompletableFuture<Boolean> completable = new CompletableFuture<>();
		this.libraries.completable(Completable.fromAction(() -> completable.complete(held.get()))).blockingAwait();
		assertLocked(completable.join());
		assertLocked(this.libraries.uni(Uni.createFrom().item(held)).await().indefinitely());
		assertLocked(this.libraries.multi(Multi.createFrom().items(() -> Stream.of(held.get())))
			.collect()
			.first()
			.await()
			.indefinitely());
		assertLocked(Flux.from(this.libraries.publisher(Mono.fromSupplier(held))).blockLast());
		Flow.Publisher<Boolean> flow = JdkFlowAdapter.publisherToFlowPublisher(Mono.fromSupplier(held));
		assertLocked(JdkFlowAdapter.flowPublisherToFlux(this.libraries.flow(flow)).blockLast());
	}

	private void assertLocked(Boolean held) {
		assertThat(held).isTrue();
		await().untilAsserted(
				() -> assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a"));
		this.registry.events.clear();
	}

	@Test
	void aLossReachesAnotherLibraryToo() {
		SingleSubject<String> body = SingleSubject.create();
		CompletableFuture<String> result = this.libraries.single(body).toCompletionStage().toCompletableFuture();
		await().until(body::hasObservers);
		this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
		assertThatExceptionOfType(Exception.class).isThrownBy(result::get)
			.havingRootCause()
			.isInstanceOf(LockLostException.class);
		assertThat(body.hasObservers()).isFalse();
	}

	@Test
	void aDisposalReleases() {
		SingleSubject<String> body = SingleSubject.create();
		Disposable subscription = this.libraries.single(body).subscribe();
		await().until(body::hasObservers);
		subscription.dispose();
		await().until(this.registry::isFree);
		assertThat(body.hasObservers()).isFalse();
	}

	@Test
	void aSkippedCallIsEmpty() {
		try (LockHandle other = this.registry.obtain("a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.libraries.skippingUni().await().indefinitely()).isNull();
			assertThat(this.libraries.skippingMaybe().blockingGet()).isNull();
			this.libraries.skippingCompletable().blockingAwait();
		}
	}

	@Test
	void aFallbackIsSubscribedTo() {
		try (LockHandle other = this.registry.obtain("a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.libraries.single().blockingGet()).isEqualTo("instead");
			assertThat(this.libraries.future().join()).isEqualTo("instead");
		}
	}

	static class Libraries {

		@DistributedLock("a")
		public <T> Single<T> single(Single<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Maybe<T> maybe(Maybe<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Flowable<T> flowable(Flowable<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Observable<T> observable(Observable<T> body) {
			return body;
		}

		@DistributedLock("a")
		public Completable completable(Completable body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Uni<T> uni(Uni<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Multi<T> multi(Multi<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Publisher<T> publisher(Publisher<T> body) {
			return body;
		}

		@DistributedLock("a")
		public <T> Flow.Publisher<T> flow(Flow.Publisher<T> body) {
			return body;
		}

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public Uni<String> skippingUni() {
			throw new IllegalStateException("ran");
		}

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public Maybe<String> skippingMaybe() {
			throw new IllegalStateException("ran");
		}

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public Completable skippingCompletable() {
			throw new IllegalStateException("ran");
		}

		@DistributedLock(key = "a", fallback = "insteadOfSingle")
		public Single<String> single() {
			throw new IllegalStateException("ran");
		}

		Single<String> insteadOfSingle() {
			return Single.just("instead");
		}

		@DistributedLock(key = "a", fallback = "insteadOfFuture")
		public CompletableFuture<String> future() {
			throw new IllegalStateException("ran");
		}

		CompletableFuture<String> insteadOfFuture() {
			return CompletableFuture.completedFuture("instead");
		}

	}

}
