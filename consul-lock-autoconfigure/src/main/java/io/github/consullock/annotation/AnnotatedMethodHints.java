package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.LinkedHashSet;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.ExecutableMode;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.util.ClassUtils;

/**
 * Has annotated methods and their fallbacks found and called in a native image. Refuses
 * fallbacks that cannot be called when the application is built already.
 */
final class AnnotatedMethodHints implements BeanRegistrationAotProcessor {

	@Override
	public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean registeredBean) {
		Class<?> beanClass = ClassUtils.getUserClass(registeredBean.getBeanClass());
		if (!DistributedLockAnnotations.isAnnotated(beanClass)) {
			return null;
		}
		Set<Method> methods = new LinkedHashSet<>();
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			DistributedLock annotation = DistributedLockAnnotations.find(method, beanClass);
			if (annotation != null) {
				methods.add(method);
				Fallback fallback = Fallback.of(new Definition(annotation, method, beanClass));
				if (fallback != null) {
					methods.add(fallback.method());
				}
			}
		}
		return (context, code) -> methods
			.forEach((method) -> context.getRuntimeHints().reflection().registerMethod(method, ExecutableMode.INVOKE));
	}

}
