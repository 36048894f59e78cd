package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

import io.reactivex.rxjava3.core.Single;
import io.smallrye.mutiny.Uni;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import reactor.core.publisher.ConnectableFlux;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.core.ResolvableType;
import org.springframework.util.ReflectionUtils;
import org.springframework.web.context.request.async.DeferredResult;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class ReturnTypesTests {

	@ParameterizedTest
	@MethodSource("later")
	void whatHoldsWorkThatGoesOnEndsLater(Method method) {
		assertThat(ReturnTypes.endLater(ResolvableType.forMethodReturnType(method, Later.class))).isTrue();
	}

	@ParameterizedTest
	@MethodSource("done")
	void whatHoldsNoneDoesNot(Method method) {
		assertThat(ReturnTypes.endLater(ResolvableType.forMethodReturnType(method, Done.class))).isFalse();
	}

	@Test
	void aMethodThatReturnsSuchATypeStopsTheStart() {
		assertThat(catchThrowable(() -> LockContext.start(HeldFuture.class).close())).rootCause()
			.isInstanceOf(DistributedLockDefinitionException.class)
			.hasMessageContaining("java.util.Optional<java.util.concurrent.CompletableFuture<?>>")
			.hasMessageContaining("before its work is done");
	}

	@ParameterizedTest
	@ValueSource(classes = { ReturnsFuture.class, ReturnsStage.class, ReturnsCompletable.class, ReturnsPublisher.class,
			ReturnsFlow.class, ReturnsMono.class, ReturnsFlux.class, ReturnsSingle.class, ReturnsUni.class })
	void aMethodMayReturnWhatALockCanFollow(Class<?> type) {
		LockContext.start(type).close();
	}

	@ParameterizedTest
	@ValueSource(classes = { ReturnsTask.class, ReturnsConnectable.class, ReturnsCallable.class,
			ReturnsDeferredResult.class, ReturnsFutureInside.class, ReturnsMonoInside.class })
	void aMethodThatReturnsBeforeItsWorkIsDoneStopsTheStart(Class<?> type) {
		DistributedLockDefinitionException refusal = LockContext.refusal(type);
		assertThat(refusal.description()).contains(type.getName() + ".run()").contains("before its work is done");
		assertThat(refusal.action()).isNotBlank();
		assertThat(refusal).hasMessage(refusal.description() + " " + refusal.action());
		assertThat(refusal.beanClass()).isEqualTo(type);
		assertThat(refusal.method()).isNotNull();
	}

	static Stream<Method> later() {
		return Stream.of(ReflectionUtils.getUniqueDeclaredMethods(Later.class, ReturnTypesTests::isOurs));
	}

	static Stream<Method> done() {
		return Stream.of(ReflectionUtils.getUniqueDeclaredMethods(Done.class, ReturnTypesTests::isOurs));
	}

	private static boolean isOurs(Method method) {
		return method.getDeclaringClass() != Object.class && !method.isSynthetic();
	}

	static class HeldFuture {

		@DistributedLock("a")
		public Optional<CompletableFuture<?>> run() {
			return Optional.empty();
		}

	}

	static class ReturnsFuture {

		@DistributedLock("a")
		public Future<String> run() {
			return CompletableFuture.completedFuture("");
		}

	}

	static class ReturnsStage {

		@DistributedLock("a")
		public CompletionStage<String> run() {
			return CompletableFuture.completedFuture("");
		}

	}

	static class ReturnsCompletable {

		@DistributedLock("a")
		public CompletableFuture<String> run() {
			return CompletableFuture.completedFuture("");
		}

	}

	static class ReturnsPublisher {

		@DistributedLock("a")
		public Publisher<String> run() {
			return Mono.empty();
		}

	}

	static class ReturnsFlow {

		@DistributedLock("a")
		public Flow.@Nullable Publisher<String> run() {
			return null;
		}

	}

	static class ReturnsSingle {

		@DistributedLock("a")
		public Single<String> run() {
			return Single.just("");
		}

	}

	static class ReturnsUni {

		@DistributedLock("a")
		public Uni<String> run() {
			return Uni.createFrom().item("");
		}

	}

	static class ReturnsTask {

		@DistributedLock("a")
		public FutureTask<String> run() {
			return new FutureTask<>(() -> "");
		}

	}

	static class ReturnsConnectable {

		@DistributedLock("a")
		public ConnectableFlux<String> run() {
			return Flux.just("").publish();
		}

	}

	static class ReturnsDeferredResult {

		@DistributedLock("a")
		public DeferredResult<String> run() {
			return new DeferredResult<>();
		}

	}

	static class ReturnsFutureInside {

		@DistributedLock("a")
		public CompletableFuture<Optional<Future<String>>> run() {
			return CompletableFuture.completedFuture(Optional.empty());
		}

	}

	static class ReturnsMonoInside {

		@DistributedLock("a")
		public Mono<Mono<String>> run() {
			return Mono.empty();
		}

	}

	static class ReturnsMono {

		@DistributedLock("a")
		public Mono<String> run() {
			return Mono.empty();
		}

	}

	static class ReturnsFlux {

		@DistributedLock("a")
		public Flux<String> run() {
			return Flux.empty();
		}

	}

	static class ReturnsCallable {

		@DistributedLock("a")
		public Callable<String> run() {
			return () -> "";
		}

	}

	abstract static class Generic<T> {

		abstract @Nullable T variable();

	}

	abstract static class Later extends Generic<Optional<Future<String>>> {

		abstract Optional<CompletableFuture<?>> argument();

		abstract List<CompletableFuture<?>> element();

		abstract Map<String, ? extends List<? extends Future<?>>> wildcard();

		abstract Future<?>[] array();

		abstract List<Future<?>[][]> arrayInside();

		abstract <F extends Future<?>> List<F> bound();

	}

	abstract static class Done extends Generic<Optional<String>> {

		abstract void nothing();

		abstract int[] primitives();

		abstract <C extends Comparable<C>> C boundByItself();

		abstract <E extends Enum<E>> List<E>[] arrayBoundByItself();

		abstract Comparator<? super String> wildcard();

		@SuppressWarnings("rawtypes")
		abstract Map raw();

		abstract Stream<String> lazy();

	}

}
