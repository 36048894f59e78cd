package io.github.consullock.annotation;

import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.AnnotatedTypeVariable;
import java.lang.reflect.AnnotatedWildcardType;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import org.jspecify.annotations.NonNull;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.BeanUtils;
import org.springframework.core.KotlinDetector;
import org.springframework.core.Nullness;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/**
 * What a call returns whose body was skipped: the value of its return type that says
 * "nothing was done". A new one for each call, since the caller may change it.
 */
final class SkippedResult {

	private static final Map<Class<?>, Supplier<?>> EMPTY = Map.ofEntries(Map.entry(Optional.class, Optional::empty),
			Map.entry(OptionalInt.class, OptionalInt::empty), Map.entry(OptionalLong.class, OptionalLong::empty),
			Map.entry(OptionalDouble.class, OptionalDouble::empty), Map.entry(Stream.class, Stream::empty),
			Map.entry(IntStream.class, IntStream::empty), Map.entry(LongStream.class, LongStream::empty),
			Map.entry(DoubleStream.class, DoubleStream::empty));

	/** Tried in this order for the interfaces of collections. */
	private static final List<Supplier<?>> COLLECTIONS = List.of(ArrayList::new, HashSet::new, TreeSet::new,
			ArrayDeque::new, HashMap::new, TreeMap::new, Collections::emptyIterator);

	private SkippedResult() {
	}

	/**
	 * What the method returns when it is skipped. For a publisher that is to be empty, or
	 * a suspend function, what it emits or {@code null}.
	 * @param method the annotated method
	 * @param beanClass the class of the bean that it is called on
	 * @return gives the value
	 * @throws IllegalArgumentException if the method may not be skipped
	 */
	static Supplier<@Nullable Object> of(Method method, Class<?> beanClass) {
		ResolvableType type = ResolvableType.forMethodReturnType(method, beanClass);
		Class<?> declared = type.resolve(Object.class);
		if (Executions.isFuture(declared)) {
			Supplier<@Nullable Object> value = of(type.getGeneric().resolve(Object.class), isResultNeverNull(method));
			return () -> CompletableFuture.completedFuture(value.get());
		}
		if (ReturnTypes.endLater(declared)) {
			ReactiveAdapter adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(declared);
			if (adapter != null && !adapter.supportsEmpty()) {
				throw new IllegalArgumentException(
						"returns " + type + ", which cannot end without a value, so it may not skip");
			}
			return () -> null;
		}
		boolean suspend = ReturnTypes.isSuspend(method);
		return of(suspend ? declared : method.getReturnType(),
				Nullness.forMethodReturnType(method) == Nullness.NON_NULL);
	}

	/** Of a future. What Kotlin says of it is not in the class file. */
	private static boolean isResultNeverNull(Method method) {
		if (KotlinDetector.isKotlinType(method.getDeclaringClass())
				|| !(method.getAnnotatedReturnType() instanceof AnnotatedParameterizedType future)) {
			return false;
		}
		AnnotatedType result = future.getAnnotatedActualTypeArguments()[0];
		if (result.isAnnotationPresent(NonNull.class)) {
			return true;
		}
		// Not annotated, it is what all types of its scope are, as the future itself.
		boolean open = result instanceof AnnotatedTypeVariable || result instanceof AnnotatedWildcardType;
		return !open && !result.isAnnotationPresent(Nullable.class) && !future.isAnnotationPresent(NonNull.class)
				&& Nullness.forMethodReturnType(method) == Nullness.NON_NULL;
	}

	private static Supplier<@Nullable Object> of(Class<?> type, boolean neverNull) {
		if (type == void.class || type == Void.class || ReturnTypes.isUnit(type)) {
			return () -> null;
		}
		if (type == boolean.class || type == Boolean.class) {
			return () -> false;
		}
		if (type.isPrimitive()) {
			throw new IllegalArgumentException(
					"returns " + type + ", of which no value says that nothing was done, so it may not skip");
		}
		Supplier<?> empty = EMPTY.get(type);
		if (empty != null) {
			return empty::get;
		}
		if (type.isArray()) {
			return () -> Array.newInstance(type.componentType(), 0);
		}
		if (Iterable.class.isAssignableFrom(type) || Map.class.isAssignableFrom(type) || type == Iterator.class) {
			return emptyCollection(type);
		}
		if (neverNull) {
			throw new IllegalArgumentException("has a result of the type " + type.getSimpleName()
					+ " that is declared never to be null, which it would have to be when the call is skipped");
		}
		return () -> null;
	}

	private static Supplier<@Nullable Object> emptyCollection(Class<?> type) {
		for (Supplier<?> collection : COLLECTIONS) {
			if (type.isInstance(collection.get())) {
				return collection::get;
			}
		}
		Constructor<?> constructor = ClassUtils.getConstructorIfAvailable(type);
		if (constructor == null || !Modifier.isPublic(constructor.getModifiers())
				|| Modifier.isAbstract(type.getModifiers())) {
			throw new IllegalArgumentException("returns " + type.getName()
					+ ", of which no empty one can be made, so it may not skip: it has no public constructor without parameters");
		}
		return () -> BeanUtils.instantiateClass(constructor);
	}

}
