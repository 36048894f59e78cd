package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/**
 * Has annotated methods and their fallbacks found and called in a native image, and made
 * what a skipped call returns. Refuses fallbacks that cannot be called when the
 * application is built already.
 */
final class AnnotatedMethodHints implements BeanRegistrationAotProcessor {

	@Override
	public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean registeredBean) {
		Class<?> beanClass = ClassUtils.getUserClass(registeredBean.getBeanClass());
		if (!DistributedLockAnnotations.isAnnotated(beanClass)) {
			return null;
		}
		Set<Method> methods = new LinkedHashSet<>();
		Set<Class<?>> skipped = new LinkedHashSet<>();
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			DistributedLock annotation = DistributedLockAnnotations.find(method, beanClass);
			if (annotation != null) {
				methods.add(method);
				Fallback fallback = Fallback.of(new Definition(annotation, method, beanClass));
				if (fallback != null) {
					methods.add(fallback.method());
				}
				if (annotation.onNotAcquired() == NotAcquiredPolicy.SKIP) {
					addSkipped(ResolvableType.forMethodReturnType(method, beanClass), skipped);
				}
			}
		}
		return (context, code) -> {
			ReflectionHints reflection = context.getRuntimeHints().reflection();
			methods.forEach((method) -> reflection.registerMethod(method, ExecutableMode.INVOKE));
			skipped.forEach((type) -> reflection.registerType(type, MemberCategory.INVOKE_PUBLIC_CONSTRUCTORS));
		};
	}

	/**
	 * What is empty when a call is skipped, made by reflection; also that of a future.
	 */
	private static void addSkipped(ResolvableType type, Set<Class<?>> skipped) {
		Class<?> declared = type.resolve(Object.class);
		if (declared.isArray() || (!declared.isInterface()
				&& (Iterable.class.isAssignableFrom(declared) || Map.class.isAssignableFrom(declared)))) {
			skipped.add(declared);
		}
		else if (Executions.isFuture(declared)) {
			addSkipped(type.getGeneric(), skipped);
		}
	}

}
