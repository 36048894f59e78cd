package io.github.consullock.autoconfigure;

import io.github.consullock.autoconfigure.ConditionalOnLocking.Locking;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * What stands in for Consul with {@code consul.lock.mode=local}.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnLocking(Locking.LOCAL)
class LocalLockConfiguration {

	private static final Logger logger = LoggerFactory.getLogger(ConsulLockAutoConfiguration.class);

	LocalLockConfiguration(Environment environment) {
		Locking.LOCAL.check(environment);
	}

	@Bean(destroyMethod = "close")
	@ConditionalOnMissingBean
	ConsulClient consulLockClient(ConsulLockProperties properties, ObjectProvider<ServiceRegistration> registration) {
		ServiceRegistration registered = registration.getIfAvailable();
		if (registered != null && registered.isEnabled() && !properties.local().allowRegistered()) {
			throw new LocalModeRefusedException();
		}
		logger.warn("consul.lock.mode is 'local': locks exclude each other inside this JVM only,"
				+ " and no other process. This is for tests and laptops");
		return new InMemoryConsulClient();
	}

}
