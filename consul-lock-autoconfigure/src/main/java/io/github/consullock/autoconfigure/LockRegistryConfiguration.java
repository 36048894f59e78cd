package io.github.consullock.autoconfigure;

import java.util.ArrayList;
import java.util.List;

import io.github.consullock.LockListener;
import io.github.consullock.autoconfigure.ConsulLockProperties.Mode;
import io.github.consullock.autoconfigure.ConsulLockProperties.Session;
import io.github.consullock.autoconfigure.ConsulLockProperties.Waiting;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulLockRegistryBuilder;
import io.github.consullock.session.SessionSettings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * The registry, from its properties to its end.
 */
@Configuration(proxyBeanMethods = false)
class LockRegistryConfiguration {

	private static final Logger logger = LoggerFactory.getLogger(ConsulLockAutoConfiguration.class);

	@Bean(destroyMethod = "close")
	@ConditionalOnMissingBean
	ConsulLockRegistry consulLockRegistry(ConsulClient client, ConsulLockProperties properties, Environment environment,
			ObjectProvider<ServiceRegistration> registration, ObjectProvider<LockListener> listeners,
			ObjectProvider<ConsulLockRegistryBuilderCustomizer> customizers) {
		PropertyChecks.check(properties);
		String instanceName = InstanceName.of(environment, registration.getIfAvailable());
		Session session = properties.session();
		SessionSettings settings = PropertyChecks.session(session, instanceName,
				serviceChecks(session, registration.getIfAvailable()));
		Waiting waiting = properties.waiting();
		if (properties.mode() == Mode.CONSUL && waiting.timeout().compareTo(settings.lockDelay()) < 0) {
			logger.info(
					"consul.lock.waiting.timeout ({}) is below consul.lock.session.lock-delay ({}): when the holder of"
							+ " a lock crashes, those who wait for it give up before it is free again",
					PropertyChecks.text(waiting.timeout()), PropertyChecks.text(settings.lockDelay()));
		}
		ConsulLockRegistryBuilder builder = ConsulLockRegistry.builder(client)
			.keyPrefix(properties.keyPrefix())
			.session(settings)
			.waitTime(waiting.timeout())
			.fair(waiting.fair())
			.maxWatches(waiting.maxWatches())
			.slowThreshold(waiting.slowThreshold())
			.deleteOnRelease(properties.deleteOnRelease())
			.shutdownTimeout(properties.shutdownTimeout())
			.instanceName(instanceName);
		listeners.orderedStream().forEach(builder::listener);
		customizers.orderedStream().forEach((customizer) -> customizer.customize(builder));
		return builder.build();
	}

	private static List<String> serviceChecks(Session session, @Nullable ServiceRegistration registration) {
		List<String> checks = new ArrayList<>(session.serviceChecks());
		if (session.bindToService()) {
			if (registration == null) {
				throw PropertyChecks.invalid("session.bind-to-service",
						"is true, but spring-cloud-consul-discovery is not on the classpath");
			}
			checks.add(registration.checkId());
		}
		return checks;
	}

	@Bean
	LockRegistryLifecycle consulLockRegistryLifecycle(ConfigurableApplicationContext context) {
		return new LockRegistryLifecycle(context);
	}

}
