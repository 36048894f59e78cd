package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import org.springframework.core.ResolvableType;
import org.springframework.util.ReflectionUtils;

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
