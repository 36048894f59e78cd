package io.github.consullock.autoconfigure;

import java.util.function.Supplier;

import io.github.consullock.autoconfigure.ConditionalOnLocking.Locking;
import io.github.consullock.autoconfigure.ConsulLockProperties.Connection;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.HttpConsulClientBuilder;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslOptions;
import org.springframework.cloud.consul.ConsulProperties;
import org.springframework.cloud.consul.discovery.ConsulDiscoveryProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/**
 * The way to Consul.
 */
@Configuration(proxyBeanMethods = false)
class LockClientConfiguration {

	/**
	 * With {@code consul.lock.mode=consul}.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnLocking(Locking.CONSUL)
	static class Remote {

		Remote(Environment environment) {
			Locking.CONSUL.check(environment);
		}

		@Bean
		@ConditionalOnMissingBean
		ConsulLockConnectionDetails consulLockConnectionDetails(ConsulLockProperties properties,
				ObjectProvider<ConsulProperties> inherited, ObjectProvider<InheritedToken> inheritedToken,
				ObjectProvider<SslBundles> sslBundles, Environment environment) {
			// With spring.cloud.consul.enabled=false there is no such bean, and its
			// settings still say where Consul is.
			ConsulProperties springCloud = inherited.getIfAvailable(
					() -> Binder.get(environment).bindOrCreate(ConsulProperties.PREFIX, ConsulProperties.class));
			InheritedToken token = inheritedToken.getIfAvailable(() -> new InheritedToken(environment, () -> null));
			return new PropertiesConnectionDetails(properties.connection(), springCloud, token,
					sslBundles::getIfAvailable);
		}

		@Bean(destroyMethod = "close")
		@ConditionalOnMissingBean
		ConsulClient consulLockClient(ConsulLockProperties properties, ConsulLockConnectionDetails details) {
			PropertyChecks.check(properties);
			Connection connection = properties.connection();
			HttpConsulClientBuilder builder = HttpConsulClient.builder(details.getUrl());
			SslBundle sslBundle = details.getSslBundle();
			if (sslBundle != null) {
				SslOptions options = sslBundle.getOptions();
				builder.sslContext(sslBundle.createSslContext())
					.tlsOptions(options.getEnabledProtocols(), options.getCiphers());
			}
			return builder.token(details::getToken)
				.datacenter(connection.datacenter())
				.namespace(connection.namespace())
				.partition(connection.partition())
				.connectTimeout(connection.connectTimeout())
				.readTimeout(connection.readTimeout())
				.maxWatches(properties.waiting().maxWatches())
				.build();
		}

	}

	/**
	 * With Consul discovery on the classpath.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnClass(ConsulDiscoveryProperties.class)
	static class Discovery {

		@Bean
		ServiceRegistration consulLockServiceRegistration(ListableBeanFactory beanFactory) {
			return new ServiceRegistration(beanFactory);
		}

		@Bean
		InheritedToken consulLockInheritedToken(Environment environment,
				ObjectProvider<ConsulDiscoveryProperties> discovery) {
			Supplier<@Nullable String> token = () -> {
				ConsulDiscoveryProperties properties = discovery.getIfAvailable();
				return (properties != null) ? properties.getAclToken() : null;
			};
			return new InheritedToken(environment, token);
		}

	}

}
