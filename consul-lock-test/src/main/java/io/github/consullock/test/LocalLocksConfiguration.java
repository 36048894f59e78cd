package io.github.consullock.test;

import io.github.consullock.autoconfigure.ConsulLockAutoConfiguration;
import io.github.consullock.consul.ConsulClient;

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

	private static final String CLIENT = "localLocksConsulClient";

	@Bean
	@ConditionalOnMissingBean
	InMemoryConsul localLocksConsul() {
		return new InMemoryConsul();
	}

	/**
	 * Takes the place of the one that the mode 'local' brings, and of its warning.
	 */
	@Bean(name = CLIENT, destroyMethod = "close")
	@Primary
	@ConditionalOnMissingBean(name = CLIENT)
	ConsulClient localLocksConsulClient(InMemoryConsul consul) {
		return consul.newApplicationClient();
	}

	@Bean
	@ConditionalOnMissingBean
	LockLossSimulator lockLossSimulator(InMemoryConsul consul, ListableBeanFactory beanFactory,
			Environment environment) {
		return new LockLossSimulator(consul, beanFactory, environment.getProperty("consul.lock.key-prefix", "locks/"));
	}

}
