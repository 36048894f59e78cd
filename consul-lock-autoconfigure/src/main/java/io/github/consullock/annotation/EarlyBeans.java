package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Finds annotated beans that were created before the post-processor existed that should
 * have seen them, because another post-processor needed or looked up the bean.
 *
 * @since 0.1.0
 */
public final class EarlyBeans {

	private static final String MOCKITO = "org.mockito.Mockito";

	private EarlyBeans() {
	}

	/**
	 * The annotated beans that there are by now. Mocks, which tests put there in place of
	 * a bean, have nothing to lock.
	 * @param beanFactory the bean factory
	 * @return the beans by their names
	 */
	public static Map<String, Object> annotated(ConfigurableListableBeanFactory beanFactory) {
		Map<String, Object> beans = new LinkedHashMap<>();
		for (String beanName : beanFactory.getSingletonNames()) {
			Object bean = beanFactory.containsBeanDefinition(beanName) ? beanFactory.getSingleton(beanName) : null;
			if (bean != null && !(bean instanceof AopInfrastructureBean)
					&& DistributedLockAnnotations.isAnnotated(AopUtils.getTargetClass(bean)) && !isMock(bean)) {
				beans.put(beanName, bean);
			}
		}
		return beans;
	}

	/** Asks Mockito, whose mocks need not differ from other objects of their class. */
	private static boolean isMock(Object bean) {
		ClassLoader classLoader = bean.getClass().getClassLoader();
		if (!ClassUtils.isPresent(MOCKITO, classLoader)) {
			return false;
		}
		Class<?> mockito = ClassUtils.resolveClassName(MOCKITO, classLoader);
		Object details = call(mockito, "mockingDetails", null, bean);
		return details != null && Boolean.TRUE.equals(call(details.getClass(), "isMock", details));
	}

	private static @Nullable Object call(Class<?> type, String name, @Nullable Object target, Object... args) {
		Method method = ReflectionUtils.findMethod(type, name, (Class<?>[]) null);
		return (method != null) ? ReflectionUtils.invokeMethod(method, target, args) : null;
	}

}
