package io.github.consullock.autoconfigure;

import io.github.consullock.annotation.DistributedLockAnnotations;
import io.github.consullock.annotation.EarlyBeans;

import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;

/**
 * With locking switched off, refuses every bean whose methods count on it.
 */
final class DisabledLockingPostProcessor implements BeanPostProcessor, InitializingBean, PriorityOrdered {

	private final ConfigurableListableBeanFactory beanFactory;

	DisabledLockingPostProcessor(ConfigurableListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
	}

	@Override
	public void afterPropertiesSet() {
		EarlyBeans.annotated(this.beanFactory)
			.forEach((beanName, bean) -> postProcessAfterInitialization(bean, beanName));
	}

	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		Class<?> beanClass = AopUtils.getTargetClass(bean);
		if (DistributedLockAnnotations.isAnnotated(beanClass)) {
			throw new LockingDisabledException(beanName, beanClass);
		}
		return bean;
	}

	@Override
	public int getOrder() {
		return Ordered.HIGHEST_PRECEDENCE;
	}

}
