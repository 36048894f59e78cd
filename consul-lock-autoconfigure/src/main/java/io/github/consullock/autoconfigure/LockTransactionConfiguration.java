package io.github.consullock.autoconfigure;

import io.github.consullock.annotation.CommitCheckPostProcessor;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;
import org.springframework.transaction.ConfigurableTransactionManager;

/**
 * Has transactions roll back when a lock was lost before they commit.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(ConfigurableTransactionManager.class)
class LockTransactionConfiguration {

	// Reads the one property it needs by itself: it exists before the others are bound.
	@Bean
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	@ConditionalOnMissingBean
	static CommitCheckPostProcessor commitCheckPostProcessor(ConfigurableListableBeanFactory beanFactory,
			Environment environment) {
		return new CommitCheckPostProcessor(beanFactory,
				environment.getProperty("consul.lock.transaction.check-before-commit", Boolean.class, true));
	}

}
