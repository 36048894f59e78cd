package io.github.consullock.testserver;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

import static org.assertj.core.api.Assertions.assertThat;

@SpringJUnitConfig
@ConsulTest
class ConsulServerTestConfigurationTests {

	@Test
	void setsTheAddressOfTheServerThatTheExtensionInjects(@Autowired Environment environment, ConsulServer server,
			@Autowired ConsulServer bean) {
		assertThat(environment.getProperty("spring.cloud.consul.host")).isEqualTo(server.host());
		assertThat(environment.getProperty("spring.cloud.consul.port", Integer.class)).isEqualTo(server.port());
		assertThat(bean).isSameAs(server);
	}

	@Configuration(proxyBeanMethods = false)
	@Import(ConsulServerTestConfiguration.class)
	static class Application {

	}

}
