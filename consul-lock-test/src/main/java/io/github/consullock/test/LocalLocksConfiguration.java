package io.github.consullock.test;

import io.github.consullock.autoconfigure.ConsulLockAutoConfiguration;
import io.github.consullock.consul.InMemoryConsulClient;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.env.Environment;

/**
 * The locks of a test with {@link LocalLocks @LocalLocks}. In a hierarchy of contexts,
 * the topmost one has the beans.
 */
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration(ConsulLockAutoConfiguration.class)
class LocalLocksConfiguration {

	/**
	 * Takes the place of the one that the mode 'local' brings, and of its warning.
	 */
	@Bean(destroyMethod = "close")
	@Primary
	@ConditionalOnMissingBean
	InMemoryConsulClient localLocksConsulClient() {
		return new InMemoryConsulClient();
	}

	@Bean
	@ConditionalOnMissingBean
	LockLossSimulator lockLossSimulator(InMemoryConsulClient client, ListableBeanFactory beanFactory,
			Environment environment) {
		return new LockLossSimulator(client, beanFactory, environment.getProperty("consul.lock.key-prefix", "locks/"));
	}

}
