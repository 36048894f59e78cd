package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

import org.jspecify.annotations.Nullable;

import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;

/**
 * Tells methods whose work is done when they return from those that only start it, which
 * a lock around the call does not cover.
 */
final class ReturnTypes {

	private static final List<Class<?>> LATER = List.of(Future.class, CompletionStage.class, Callable.class);

	/** Of optional libraries, so by name. */
	private static final List<String> REACTIVE = List.of("java.util.concurrent.Flow$Publisher",
			"org.reactivestreams.Publisher", "kotlinx.coroutines.flow.Flow",
			"io.reactivex.rxjava3.core.ObservableSource", "io.reactivex.rxjava3.core.SingleSource",
			"io.reactivex.rxjava3.core.MaybeSource", "io.reactivex.rxjava3.core.CompletableSource",
			"io.smallrye.mutiny.Uni");

	private static final List<String> LATER_BY_NAME = List.of("kotlinx.coroutines.Job",
			"org.springframework.web.context.request.async.DeferredResult",
			"org.springframework.web.context.request.async.WebAsyncTask",
			"org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
			"org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody");

	private static final String SUSPEND = "kotlin.coroutines.Continuation";

	private ReturnTypes() {
	}

	/**
	 * Whether values of a type stand for work that goes on after they were returned.
	 * @param type the type of a value, or a declared one
	 * @return whether the method that returns them ends before its work does
	 */
	static boolean endLater(Class<?> type) {
		if (type.isPrimitive() || type == Object.class) {
			return false;
		}
		if (LATER.stream().anyMatch((later) -> later.isAssignableFrom(type))) {
			return true;
		}
		if (LATER_BY_NAME.stream().anyMatch((later) -> isNamed(type, later))) {
			return true;
		}
		return isReactive(type) || ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null;
	}

	/**
	 * Whether a type is one of a known reactive library, also if there is nothing here to
	 * subscribe to it with.
	 * @param type the declared type
	 * @return whether it is
	 */
	static boolean isReactive(Class<?> type) {
		return REACTIVE.stream().anyMatch((reactive) -> isNamed(type, reactive));
	}

	/**
	 * Whether values of a declared type stand for work that goes on after they were
	 * returned, or hold something that does.
	 * @param type the declared type
	 * @return whether the type, its type arguments or elements end later
	 */
	static boolean endLater(ResolvableType type) {
		return endLater(type, new HashSet<>());
	}

	private static boolean endLater(ResolvableType type, Set<Type> seen) {
		// A type variable may be bounded by itself.
		if (type.equals(ResolvableType.NONE) || !seen.add(type.getType())) {
			return false;
		}
		if (endLater(type.resolve(Object.class)) || endLater(type.getComponentType(), seen)) {
			return true;
		}
		return Arrays.stream(type.getGenerics()).anyMatch((generic) -> endLater(generic, seen));
	}

	/**
	 * Whether the method is a {@code suspend} function of Kotlin.
	 * @param method the method
	 * @return whether it is
	 */
	static boolean isSuspend(Method method) {
		Class<?>[] types = method.getParameterTypes();
		return types.length > 0 && types[types.length - 1].getName().equals(SUSPEND);
	}

	/**
	 * Whether a type is what a {@code suspend} function without result returns.
	 * @param type the type
	 * @return whether it is
	 */
	static boolean isUnit(Class<?> type) {
		return type.getName().equals("kotlin.Unit");
	}

	/**
	 * Whether a type is one of that name, or extends or implements it.
	 * @param type the type
	 * @param name the name of a class or interface that may not be on the class path
	 * @return whether it is
	 */
	static boolean isNamed(@Nullable Class<?> type, String name) {
		if (type == null) {
			return false;
		}
		if (type.getName().equals(name) || isNamed(type.getSuperclass(), name)) {
			return true;
		}
		return Arrays.stream(type.getInterfaces()).anyMatch((parent) -> isNamed(parent, name));
	}

}
