package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.function.Consumer;

import org.aopalliance.aop.Advice;

import org.springframework.aop.Advisor;
import org.springframework.aop.Pointcut;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * What a proxy cannot lock: a call of such a method would run without the lock, and
 * nobody would notice.
 */
final class ProxyLimits {

	/** Of an optional library, so by name. */
	private static final String ASPECT = "org.aspectj.lang.annotation.Aspect";

	private ProxyLimits() {
	}

	/**
	 * Whether there can be a proxy at all.
	 * @param beanClass the class of a bean
	 * @param subclass whether proxies are subclasses even where there is an interface
	 * @return {@code false} for a final class that would have to be extended
	 */
	static boolean isProxyable(Class<?> beanClass, boolean subclass) {
		if (!Modifier.isFinal(beanClass.getModifiers()) || DistributedLockAnnotations.isMadeOfInterfaces(beanClass)) {
			return true;
		}
		return !subclass && ClassUtils.getAllInterfacesForClass(beanClass).length > 0;
	}

	/**
	 * Whether beans of the class serve to make proxies, and so get none themselves.
	 * @param beanClass the class of a bean
	 * @return whether they are aspects, advisors or the like
	 */
	static boolean isPartOfProxying(Class<?> beanClass) {
		return Advice.class.isAssignableFrom(beanClass) || Advisor.class.isAssignableFrom(beanClass)
				|| Pointcut.class.isAssignableFrom(beanClass)
				|| MergedAnnotations.from(beanClass, SearchStrategy.TYPE_HIERARCHY).isPresent(ASPECT);
	}

	/**
	 * Whether there is a method that some proxy can lock.
	 * @param beanClass the class of an annotated bean
	 * @return {@code false} if all are private or static
	 */
	static boolean hasLockable(Class<?> beanClass) {
		return DistributedLockAnnotations.methods(beanClass).stream().anyMatch((method) -> isLocked(method, beanClass));
	}

	/**
	 * Reports what no proxy of any kind can lock.
	 * @param beanClass the class of an annotated bean
	 * @param report receives what was found
	 */
	static void check(Class<?> beanClass, Consumer<DistributedLockDefinitionException> report) {
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			int modifiers = method.getModifiers();
			String kind = Modifier.isPrivate(modifiers) ? "private" : Modifier.isStatic(modifiers) ? "static" : "";
			if (!kind.isEmpty() && DistributedLockAnnotations.findDirect(method) != null) {
				report.accept(new DistributedLockDefinitionException(beanClass, method,
						"is " + kind + ", and calls of it do not pass the bean's proxy that would lock them",
						"Make it a public method that is called on the bean, or annotate the method that calls it."));
			}
		}
	}

	/**
	 * Reports what a proxy that is a subclass cannot lock.
	 * @param beanClass the class of an annotated bean
	 * @param report receives what was found
	 */
	static void checkClassProxy(Class<?> beanClass, Consumer<DistributedLockDefinitionException> report) {
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			if (!isLocked(method, beanClass)) {
				continue;
			}
			if (Modifier.isFinal(method.getModifiers())) {
				report.accept(new DistributedLockDefinitionException(beanClass, method,
						"is final, and the bean's proxy, a subclass, cannot override it to lock it",
						"Remove 'final' from the method, or, where the annotation is on the class, annotate the"
								+ " methods to be locked instead."));
			}
			else if (isHidden(method, beanClass)) {
				report.accept(new DistributedLockDefinitionException(beanClass, method,
						"is visible in its package only, and the bean's proxy, a subclass in another package, cannot"
								+ " override it to lock it",
						"Make it public or protected."));
			}
		}
	}

	/**
	 * Reports what a proxy that implements interfaces cannot lock.
	 * @param beanClass the class of an annotated bean
	 * @param proxyClass the class of its proxy
	 * @param report receives what was found
	 */
	static void checkInterfaceProxy(Class<?> beanClass, Class<?> proxyClass,
			Consumer<DistributedLockDefinitionException> report) {
		for (Method method : DistributedLockAnnotations.methods(beanClass)) {
			if (isLocked(method, beanClass) && DistributedLockAnnotations.findDirect(method) != null
					&& !isInInterface(method, beanClass, proxyClass)) {
				report.accept(new DistributedLockDefinitionException(beanClass, method,
						"is in no interface of the bean, whose proxy has only those, so that no call of it is locked",
						"Declare it in an interface of the bean, or have the class proxied"
								+ " (spring.aop.proxy-target-class=true)."));
			}
		}
	}

	/**
	 * What is told of a class that no proxy can extend.
	 * @param beanClass the class of an annotated bean
	 */
	static DistributedLockDefinitionException finalClass(Class<?> beanClass) {
		return new DistributedLockDefinitionException(beanClass, null,
				"is final, and the bean's proxy that would lock its calls, a subclass, cannot be made",
				"Remove 'final' from the class (a record is final too), or move what is to be locked into another one.");
	}

	private static boolean isLocked(Method method, Class<?> beanClass) {
		return !Modifier.isPrivate(method.getModifiers()) && !Modifier.isStatic(method.getModifiers())
				&& DistributedLockAnnotations.find(method, beanClass) != null;
	}

	private static boolean isHidden(Method method, Class<?> beanClass) {
		return (method.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED)) == 0
				&& (!method.getDeclaringClass().getPackageName().equals(beanClass.getPackageName())
						|| method.getDeclaringClass().getClassLoader() != beanClass.getClassLoader());
	}

	private static boolean isInInterface(Method method, Class<?> beanClass, Class<?> proxyClass) {
		for (Class<?> type : proxyClass.getInterfaces()) {
			for (Method declared : ReflectionUtils.getAllDeclaredMethods(type)) {
				if (declared.getName().equals(method.getName())
						&& DistributedLockAnnotations.specificMethod(declared, beanClass).equals(method)) {
					return true;
				}
			}
		}
		return false;
	}

}
