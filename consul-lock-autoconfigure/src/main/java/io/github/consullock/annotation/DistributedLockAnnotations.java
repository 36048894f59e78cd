package io.github.consullock.annotation;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.aop.support.AopUtils;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationConfigurationException;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringUtils;

/**
 * Finds {@link DistributedLock @DistributedLock} on classes and methods: directly, as a
 * meta-annotation, or on an interface or superclass.
 *
 * @since 0.1.0
 */
public final class DistributedLockAnnotations {

	private DistributedLockAnnotations() {
	}

	/**
	 * Whether beans of a class have anything to lock: the annotation on the class itself
	 * or on one of its methods, whether a proxy could lock that method or not.
	 * @param type the class of a bean, or a proxy of it
	 * @return whether it is annotated
	 */
	public static boolean isAnnotated(Class<?> type) {
		if (!AnnotationUtils.isCandidateClass(type, DistributedLock.class)) {
			return false;
		}
		Class<?> beanClass = ClassUtils.getUserClass(type);
		if (AnnotatedElementUtils.hasAnnotation(beanClass, DistributedLock.class)) {
			return true;
		}
		for (Method method : methods(beanClass)) {
			if (AnnotatedElementUtils.hasAnnotation(method, DistributedLock.class)) {
				return true;
			}
		}
		return false;
	}

	/**
	 * The annotation that governs a method, its attributes merged.
	 * @param method the method, as {@link #specificMethod} or {@link #methods} give it
	 * @param beanClass the class of the bean that it is called on
	 * @return the annotation, or {@code null} if the method is not to be locked
	 */
	static @Nullable DistributedLock find(Method method, Class<?> beanClass) {
		if (method.isBridge() || method.isSynthetic()) {
			return null;
		}
		DistributedLock direct = findDirect(method);
		if (direct != null) {
			return direct;
		}
		int modifiers = method.getModifiers();
		if (!Modifier.isPublic(modifiers) || Modifier.isStatic(modifiers) || ReflectionUtils.isObjectMethod(method)) {
			return null;
		}
		return merged(beanClass, beanClass, null);
	}

	/**
	 * The annotation on the method itself or a method that it overrides.
	 * @param method the method
	 * @return the annotation, or {@code null}
	 */
	static @Nullable DistributedLock findDirect(Method method) {
		return merged(method, method.getDeclaringClass(), method);
	}

	private static @Nullable DistributedLock merged(AnnotatedElement element, Class<?> beanClass,
			@Nullable Method method) {
		try {
			return AnnotatedElementUtils.findMergedAnnotation(element, DistributedLock.class);
		}
		catch (AnnotationConfigurationException ex) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"has attributes that contradict each other: "
							+ StringUtils.trimTrailingCharacter(String.valueOf(ex.getMessage()), '.'),
					"Set either 'value' or 'key', not both.", ex);
		}
	}

	/**
	 * The method that a call ends up in. Of a bean that is itself a JDK proxy, such as a
	 * repository, or a lambda, the interface's method: only that one has parameter names.
	 * @param method the method that is called
	 * @param beanClass the class of the bean that it is called on
	 * @return the method
	 */
	static Method specificMethod(Method method, Class<?> beanClass) {
		return isMadeOfInterfaces(beanClass) ? method : AopUtils.getMostSpecificMethod(method, beanClass);
	}

	/**
	 * Whether a class was made while the application runs and has no methods of its own.
	 * @param beanClass the class of a bean
	 * @return whether it is that of a JDK proxy or a lambda
	 */
	static boolean isMadeOfInterfaces(Class<?> beanClass) {
		return Proxy.isProxyClass(beanClass) || ClassUtils.isLambdaClass(beanClass);
	}

	/**
	 * All methods that a call on a bean of the class can end up in, and the static and
	 * private ones.
	 * @param beanClass the class of a bean
	 * @return the methods, those that another one overrides left out
	 */
	static List<Method> methods(Class<?> beanClass) {
		List<Method> methods = new ArrayList<>();
		if (!isMadeOfInterfaces(beanClass)) {
			// Bridges are left out first, or the one with which a public class inherits
			// from
			// a package-private one takes the place of the method itself.
			for (Method method : ReflectionUtils.getUniqueDeclaredMethods(beanClass,
					(candidate) -> !candidate.isSynthetic())) {
				if (method.getDeclaringClass() != Object.class) {
					methods.add(method);
				}
			}
		}
		for (Class<?> type : ClassUtils.getAllInterfacesForClassAsSet(beanClass)) {
			for (Method method : type.getDeclaredMethods()) {
				if (!method.isSynthetic() && specificMethod(method, beanClass).equals(method)) {
					methods.add(method);
				}
			}
		}
		return methods;
	}

}
