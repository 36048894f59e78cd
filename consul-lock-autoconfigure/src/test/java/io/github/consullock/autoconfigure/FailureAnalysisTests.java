package io.github.consullock.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * What an application prints that is really started, and fails to.
 */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalysisTests {

	@Test
	void aTtlOutOfBounds(CapturedOutput output) {
		fail(Application.class, "consul.lock.session.ttl=5s");
		assertThat(report(output)).contains("consul.lock.session.ttl must be between 10s and 24h", "but is 5s")
			.contains("Correct the property 'consul.lock.session.ttl'");
	}

	@Test
	void aConsulThatIsNotThereWhenALockIsTakenInTheStart(CapturedOutput output) {
		fail(LockingAtStart.class, "spring.cloud.consul.host=localhost", "spring.cloud.consul.port=1",
				"consul.lock.waiting.timeout=1s");
		assertThat(report(output)).contains("Consul did not answer", "localhost:1,")
			.contains("consul.lock.connection.url", "consul.lock.mode=local");
	}

	@Test
	void aConsulThatDoesNotKnowTheToken(CapturedOutput output) {
		try (ConsulServer consul = ConsulServer.builder().acl().start()) {
			fail(LockedRunner.class, "spring.application.name=orders", "consul.lock.connection.url=" + consul.httpUri(),
					"consul.lock.connection.token=" + UUID.randomUUID(), "consul.lock.key-prefix=mine/",
					"consul.lock.waiting.timeout=1m");
		}
		assertThat(report(output)).contains("Consul refused the request", "ACL not found")
			.contains("consul.lock.connection.token")
			.contains("key_prefix \"mine/\" { policy = \"write\" }", "session_prefix");
	}

	@Test
	void aMethodThatCannotBeProxied(CapturedOutput output) {
		fail(FinalMethod.class);
		assertThat(report(output)).contains("FinalMethod", "bill").contains("final");
	}

	@Test
	void locksSwitchedOffWithAnAnnotatedBean(CapturedOutput output) {
		fail(AnnotatedBean.class, "consul.lock.enabled=false");
		assertThat(report(output)).contains("AnnotatedBean").contains("consul.lock.mode=local");
	}

	@Test
	void anEnabledThatIsNeitherTrueNorFalse(CapturedOutput output) {
		fail(AnnotatedBean.class, "consul.lock.enabled=maybe");
		assertThat(report(output)).contains("consul.lock.enabled", "maybe");
	}

	@Test
	void aModeThatThereIsNot(CapturedOutput output) {
		fail(AnnotatedBean.class, "consul.lock.mode=redis");
		assertThat(report(output)).contains("consul.lock.mode", "redis", "CONSUL", "LOCAL");
	}

	@Test
	void locksInsideThisJvmInAnApplicationThatRegisters(CapturedOutput output) {
		fail(Application.class, "consul.lock.mode=local");
		assertThat(report(output)).contains("consul.lock.mode is 'local'")
			.contains("consul.lock.local.allow-registered=true", "spring.cloud.consul.discovery.register=false");
	}

	private static void fail(Class<?> application, String... properties) {
		List<String> arguments = new ArrayList<>(List.of("--spring.main.banner-mode=off"));
		for (String property : properties) {
			arguments.add("--" + property);
		}
		SpringApplication spring = new SpringApplication(application);
		spring.setWebApplicationType(WebApplicationType.NONE);
		spring.setRegisterShutdownHook(false);
		assertThatException().isThrownBy(() -> spring.run(arguments.toArray(String[]::new)).close());
	}

	private static String report(CapturedOutput output) {
		assertThat(output.getAll()).contains("APPLICATION FAILED TO START");
		return output.getAll().substring(output.getAll().indexOf("APPLICATION FAILED TO START"));
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class LockingAtStart {

		@Bean
		Object needsALock(ConsulLockRegistry registry) {
			return registry.obtain("migration").acquire();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class LockedRunner {

		@Bean
		Migration migration() {
			return new Migration();
		}

		static class Migration implements ApplicationRunner {

			@Override
			@DistributedLock("migration")
			public void run(ApplicationArguments arguments) {
			}

		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class FinalMethod {

		@Bean
		Billing billing() {
			return new Billing();
		}

		static class Billing {

			@DistributedLock("billing")
			public final void bill() {
			}

		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class AnnotatedBean {

		@Bean
		Billing billing() {
			return new Billing();
		}

		static class Billing {

			@DistributedLock("billing")
			public void bill() {
			}

		}

	}

}
