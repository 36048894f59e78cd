package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.support.AopUtils;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * The method that is called in place of a body that did not get its lock.
 *
 * @param method the method
 * @param exceptionIndex the position of its parameter for the exception, or -1
 */
record Fallback(Method method, int exceptionIndex) {

	private static final Class<?> EXCEPTION = LockNotAcquiredException.class;

	/**
	 * The fallback that an annotation names.
	 * @param definition the annotation
	 * @return the fallback, or {@code null} if it names none
	 */
	static @Nullable Fallback of(Definition definition) {
		String name = definition.annotation().fallback();
		if (name.isEmpty()) {
			return null;
		}
		if (definition.annotation().onNotAcquired() == NotAcquiredPolicy.SKIP) {
			throw definition.refused("has both onNotAcquired = SKIP and the fallback '" + name + "'",
					"Keep one of them: a call that does not get the lock is either skipped or passed to the fallback.");
		}
		Method method = method(name, definition);
		checkReturnType(method, definition);
		checkExceptions(method, definition);
		if (DistributedLockAnnotations.find(method, definition.beanClass()) != null) {
			throw definition.refused(
					"has the fallback '" + name + "', which is to be locked itself, but is called without a lock",
					"Name a method that is not annotated or, where the annotation is on the class, not public.");
		}
		int count = parameterTypes(definition.method(), definition.beanClass()).size();
		boolean takesException = parameterTypes(method, definition.beanClass()).size() > count;
		return new Fallback(method, takesException ? count : -1);
	}

	private static Method method(String name, Definition definition) {
		List<Method> named = DistributedLockAnnotations.methods(definition.beanClass())
			.stream()
			.filter((method) -> method.getName().equals(name))
			// One that a type variable keeps from looking overridden.
			.map((method) -> DistributedLockAnnotations.specificMethod(method, definition.beanClass()))
			.distinct()
			.toList();
		List<Class<?>> without = parameterTypes(definition.method(), definition.beanClass());
		List<Class<?>> with = new ArrayList<>(without);
		with.add(EXCEPTION);
		boolean suspend = ReturnTypes.isSuspend(definition.method());
		List<Method> fitting = named.stream()
			.filter((method) -> suspend || !ReturnTypes.isSuspend(method))
			.filter((method) -> {
				List<Class<?>> types = parameterTypes(method, definition.beanClass());
				return types.equals(without) || types.equals(with);
			})
			.toList();
		String wanted = name + text(without) + " or " + name + text(with);
		if (named.isEmpty()) {
			throw definition.refused("has the fallback '" + name + "', but its class has no method of that name",
					"Add " + wanted + " to the class, or correct the name.");
		}
		if (fitting.isEmpty()) {
			throw definition.refused(
					"has the fallback '" + name + "', but no method of that name has its parameters; there is "
							+ named.stream()
								.map((method) -> (ReturnTypes.isSuspend(method) ? "suspend " : "") + name
										+ text(parameterTypes(method, definition.beanClass())))
								.collect(Collectors.joining(", ")),
					"Give the fallback the same parameters: " + wanted + ".");
		}
		if (fitting.size() > 1) {
			throw definition.refused("has the fallback '" + name + "', which two methods fit",
					"Keep one of " + wanted + ".");
		}
		return fitting.get(0);
	}

	private static void checkReturnType(Method method, Definition definition) {
		ResolvableType wanted = ResolvableType.forMethodReturnType(definition.method(), definition.beanClass());
		ResolvableType found = ResolvableType.forMethodReturnType(method, definition.beanClass());
		if (!fits(wanted, found)) {
			throw definition.refused(
					"returns " + wanted + ", but its fallback '" + method.getName() + "' returns " + found,
					"Have the fallback return " + wanted + ".");
		}
	}

	/** Callers of the method could not catch others, which proxies wrap. */
	private static void checkExceptions(Method method, Definition definition) {
		Method called = definition.method();
		ResolvableType returned = ResolvableType.forMethodReturnType(called, definition.beanClass());
		if (ReturnTypes.isSuspend(called) || ReturnTypes.endLater(returned)) {
			return; // They are delivered.
		}
		for (Class<?> type : method.getExceptionTypes()) {
			boolean unchecked = RuntimeException.class.isAssignableFrom(type) || Error.class.isAssignableFrom(type);
			if (!unchecked && !ReflectionUtils.declaresException(called, type)) {
				throw definition.refused(
						"has the fallback '" + method.getName() + "', which throws " + type.getName()
								+ ", but does not declare that itself",
						"Have the method throw " + type.getSimpleName() + " as well, or the fallback none.");
			}
		}
	}

	private static boolean fits(ResolvableType wanted, ResolvableType found) {
		if (found.toClass() == void.class && ReturnTypes.isUnit(wanted.toClass())) {
			return true;
		}
		if (found.toClass().isPrimitive() && !wanted.toClass().isPrimitive()) {
			Class<?> boxed = ClassUtils.resolvePrimitiveIfNecessary(found.toClass());
			return wanted.toClass().isAssignableFrom(boxed);
		}
		// Of raw types and variables, the class is all that can be compared.
		boolean open = wanted.hasUnresolvableGenerics() || found.hasUnresolvableGenerics();
		return wanted.toClass().isAssignableFrom(found.toClass()) && (open || wanted.isAssignableFrom(found));
	}

	/** Without the continuation that the compiler adds to a function that suspends. */
	private static List<Class<?>> parameterTypes(Method method, Class<?> beanClass) {
		List<Class<?>> types = new ArrayList<>();
		int count = method.getParameterCount() - (ReturnTypes.isSuspend(method) ? 1 : 0);
		for (int i = 0; i < count; i++) {
			types.add(ResolvableType.forMethodParameter(method, i, beanClass).toClass());
		}
		return types;
	}

	private static String text(List<Class<?>> types) {
		return types.stream().map(Class::getSimpleName).collect(Collectors.joining(", ", "(", ")"));
	}

	/**
	 * Calls the method.
	 * @param target the bean, no proxy
	 * @param args the arguments of the call that did not get its lock
	 * @param failure why it did not
	 * @return what the method returned
	 */
	@Nullable Object call(@Nullable Object target, @Nullable Object[] args, LockNotAcquiredException failure) throws Throwable {
		List<@Nullable Object> all = new ArrayList<>(Arrays.asList(args));
		if (this.exceptionIndex >= 0) {
			all.add(this.exceptionIndex, failure);
		}
		// One that does not suspend takes no continuation, which is the last.
		Object[] taken = all.subList(0, this.method.getParameterCount()).toArray();
		// Not by reflection alone: a suspend function becomes a publisher.
		return AopUtils.invokeJoinpointUsingReflection(target, this.method, taken);
	}

}
