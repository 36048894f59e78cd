package io.github.consullock.testserver;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.test.context.DynamicPropertyRegistrar;

/**
 * Gives a Spring test a real Consul, the same one as {@link ConsulServerExtension}, by
 * setting {@code spring.cloud.consul.host} and {@code spring.cloud.consul.port}:
 *
 * <pre class="code">
 * &#64;SpringBootTest
 * &#64;Import(ConsulServerTestConfiguration.class)
 * class ApplicationTests { ... }
 * </pre>
 *
 * The {@link ConsulServer} is a bean as well. It outlasts the application context, so
 * that the shutdown of this one finds it.
 *
 * @since 0.1.0
 */
@Configuration(proxyBeanMethods = false)
public class ConsulServerTestConfiguration {

	/**
	 * The server of this test run.
	 * @return the server, which the context does not close
	 */
	@Bean(destroyMethod = "")
	ConsulServer consulServer() {
		return SharedConsulServer.getToTheEnd();
	}

	/**
	 * Makes the address of the server known to the application.
	 * @param server the server
	 * @return a registrar that runs before the application's own beans
	 */
	@Bean
	static DynamicPropertyRegistrar consulServerProperties(ConsulServer server) {
		return (registry) -> {
			registry.add("spring.cloud.consul.host", server::host);
			registry.add("spring.cloud.consul.port", server::port);
		};
	}

}
