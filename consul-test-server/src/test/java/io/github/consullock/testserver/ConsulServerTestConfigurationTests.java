package io.github.consullock.testserver;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

import static org.assertj.core.api.Assertions.assertThat;

@SpringJUnitConfig
@ConsulTest
class ConsulServerTestConfigurationTests {

	private final Environment environment;

	private final ConsulServer bean;

	ConsulServerTestConfigurationTests(@Autowired ApplicationContext context) {
		this.environment = context.getEnvironment();
		this.bean = context.getBean(ConsulServer.class);
	}

	@Test
	void setsTheAddressOfTheServerThatTheExtensionInjects(ConsulServer server) {
		assertThat(this.environment.getProperty("spring.cloud.consul.host")).isEqualTo(server.host());
		assertThat(this.environment.getProperty("spring.cloud.consul.port", Integer.class)).isEqualTo(server.port());
		assertThat(this.bean).isSameAs(server);
	}

	@Configuration(proxyBeanMethods = false)
	@Import(ConsulServerTestConfiguration.class)
	static class Application {

	}

}
