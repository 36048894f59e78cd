package io.github.consullock.autoconfigure;

import io.github.consullock.annotation.DistributedLockAdvisor;
import io.github.consullock.annotation.DistributedLockPostProcessor;
import io.github.consullock.annotation.DistributedLockProxyRegistrar;
import io.github.consullock.autoconfigure.ConditionalOnLocking.Locking;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;

/**
 * Locks on Consul, as {@code consul.lock.*} has them. Asks nothing of Consul before the
 * first lock.
 * <p>
 * Ordered after {@link ConsulAutoConfiguration} alone: naming the auto-configuration of
 * Consul's service registration here would have that one evaluated too early, and the
 * application would silently no longer register.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = ConsulAutoConfiguration.class)
public final class ConsulLockAutoConfiguration {

	/**
	 * Locks, and what makes annotated methods take them.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnLocking({ Locking.CONSUL, Locking.LOCAL })
	@EnableConfigurationProperties(ConsulLockProperties.class)
	@Import({ LockClientConfiguration.class, LocalLockConfiguration.class, LockRegistryConfiguration.class,
			LockTransactionConfiguration.class, LockActuatorConfiguration.class, DistributedLockProxyRegistrar.class })
	static class Enabled {

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static DistributedLockAdvisor distributedLockAdvisor(ConfigurableListableBeanFactory beanFactory,
				ObjectProvider<ConsulLockProperties> properties) {
			return new DistributedLockAdvisor(beanFactory, () -> properties.getObject().transaction().ifActive());
		}

		// Reads the one property it needs by itself: it exists before the others are
		// bound.
		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static DistributedLockPostProcessor distributedLockPostProcessor(DistributedLockAdvisor advisor,
				Environment environment) {
			return new DistributedLockPostProcessor(advisor,
					environment.getProperty("consul.lock.strict", Boolean.class, true));
		}

	}

	/**
	 * No locks, and nobody who counts on them.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnLocking(Locking.OFF)
	static class Disabled {

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static DisabledLockingPostProcessor disabledLockingPostProcessor(ConfigurableListableBeanFactory beanFactory,
				Environment environment) {
			Locking.OFF.check(environment);
			return new DisabledLockingPostProcessor(beanFactory);
		}

	}

}
