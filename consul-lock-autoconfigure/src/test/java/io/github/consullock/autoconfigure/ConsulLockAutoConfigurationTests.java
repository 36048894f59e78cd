package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.SessionBehavior;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.env.RandomValuePropertySource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulRegistration;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

@ExtendWith(OutputCaptureExtension.class)
class ConsulLockAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class));

	private final ApplicationContextRunner registering = this.runner
		.withConfiguration(AutoConfigurations.of(UtilAutoConfiguration.class,
				AutoServiceRegistrationConfiguration.class, AutoServiceRegistrationAutoConfiguration.class,
				ConsulServiceRegistryAutoConfiguration.class, ConsulAutoServiceRegistrationAutoConfiguration.class))
		.withPropertyValues("spring.cloud.consul.discovery.instance-id=orders-1",
				"spring.cloud.consul.discovery.port=8080");

	@Test
	void aRegistryOnConsulIsThereByDefault() {
		this.runner.run((context) -> {
			assertThat(context).hasSingleBean(ConsulLockRegistry.class);
			assertThat(context).getBean(ConsulClient.class).isInstanceOf(HttpConsulClient.class);
			assertThat(context.getBean(ConsulLockRegistry.class).obtain("orders/42").key())
				.isEqualTo("locks/orders/42");
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "spring.cloud.consul.enabled=false", "spring.main.lazy-initialization=true" })
	void nothingIsAskedOfConsulByTheStart(String property) throws IOException {
		try (CountingServer consul = new CountingServer()) {
			this.runner
				.withPropertyValues(property, "spring.cloud.consul.host=" + consul.host(),
						"spring.cloud.consul.port=" + consul.port())
				.withBean(OrderService.class)
				.run((context) -> {
					assertThat(context).hasNotFailed().hasSingleBean(ConsulLockRegistry.class);
					assertThat(consul.connections()).isZero();
				});
			assertThat(consul.connections()).as("connections until after the shutdown").isZero();
		}
	}

	@Test
	void theRegistryBacksOffForTheUsersOwn() {
		ConsulLockRegistry own = mock(ConsulLockRegistry.class);
		this.runner.withBean("own", ConsulLockRegistry.class, () -> own)
			.run((context) -> assertThat(context).getBean(ConsulLockRegistry.class).isSameAs(own));
	}

	@Test
	void aSecondRegistryStandsBesideTheConfiguredOne() {
		this.runner.withUserConfiguration(SecondRegistry.class).withBean(OrderService.class).run((context) -> {
			assertThat(context).hasNotFailed().hasBean("consulLockRegistry");
			assertThat(context.getBean("reportsRegistry", ConsulLockRegistry.class).obtain("a").key())
				.isEqualTo("reports/a");
			assertThat(context.getBeanProvider(ConsulLockRegistry.class).getObject().obtain("a").key())
				.isEqualTo("locks/a");
		});
	}

	@Test
	void theClientBacksOffForTheUsersOwn() {
		this.runner.withBean("own", ConsulClient.class, InMemoryConsulClient::new)
			.run((context) -> assertThat(context).hasSingleBean(ConsulClient.class)
				.hasSingleBean(ConsulLockRegistry.class)
				.hasBean("own"));
	}

	@Test
	void customizersAreAppliedInTheirOrderAfterTheProperties() {
		this.runner.withUserConfiguration(Customizers.class)
			.withPropertyValues("consul.lock.key-prefix=property/")
			.run((context) -> assertThat(context.getBean(ConsulLockRegistry.class).obtain("a").key())
				.isEqualTo("second/a"));
	}

	@Test
	void noRegistryIsThereWhenSwitchedOff() {
		this.runner.withPropertyValues("consul.lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(ConsulLockRegistry.class)
				.doesNotHaveBean(ConsulClient.class));
	}

	@ParameterizedTest
	@ValueSource(
			classes = { OrderService.class, AnnotatedClass.class, InheritingClass.class, PublicInheritingClass.class })
	void anAnnotatedBeanKeepsTheApplicationFromStartingWhenSwitchedOff(Class<?> annotated) {
		this.runner.withPropertyValues("consul.lock.enabled=false")
			.withUserConfiguration(annotated)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(LockingDisabledException.class)
				.hasMessageContaining(annotated.getName()));
	}

	@Test
	void anAnnotatedBeanThatIsLookedUpEarlyKeepsTheApplicationFromStartingWhenSwitchedOff() {
		this.runner.withPropertyValues("consul.lock.enabled=false")
			.withBean(OrderService.class)
			.withBean(BeanFactoryPostProcessor.class, () -> (beanFactory) -> beanFactory.getBean(OrderService.class))
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(LockingDisabledException.class));
	}

	@ParameterizedTest
	@ValueSource(strings = { "FALSE", "off", "no", "0" })
	void whateverMeansFalseSwitchesOffAndKeepsAnAnnotatedBeanFromStarting(String value) {
		this.runner.withPropertyValues("consul.lock.enabled=" + value)
			.withUserConfiguration(OrderService.class)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(LockingDisabledException.class));
	}

	@ParameterizedTest
	@ValueSource(strings = { "enabled=TRUE", "enabled=on", "enabled=yes", "enabled=1", "mode=", "mode=Consul" })
	void whateverDoesNotMeanFalseLocks(String property) {
		this.runner.withPropertyValues("consul.lock." + property)
			.withUserConfiguration(OrderService.class)
			.run((context) -> assertThat(context).hasNotFailed()
				.hasSingleBean(ConsulLockRegistry.class)
				.getBean(ConsulClient.class)
				.isInstanceOf(HttpConsulClient.class));
	}

	@Test
	void theSessionMayBeBoundToTheCheckOfTheApplicationsRegistration() {
		this.registering.withPropertyValues("consul.lock.session.bind-to-service=true")
			.run((context) -> assertThat(context.getBean(ServiceRegistration.class).checkId())
				.isEqualTo("service:orders-1"));
	}

	@Test
	void theInstanceIsNamedAsItsRegistrationThoughThatIsRandom() {
		this.registering
			.withInitializer((context) -> RandomValuePropertySource.addToEnvironment(context.getEnvironment()))
			.withPropertyValues("spring.cloud.consul.discovery.instance-id=orders-${random.uuid}")
			.run((context) -> assertThat(
					InstanceName.of(context.getEnvironment(), context.getBean(ServiceRegistration.class)))
				.isEqualTo(context.getBean(ConsulRegistration.class).getInstanceId()));
	}

	@ParameterizedTest
	@ValueSource(strings = { "spring.cloud.consul.discovery.register=false",
			"spring.cloud.consul.discovery.register-health-check=false",
			"spring.cloud.service-registry.auto-registration.enabled=false" })
	void aSessionCannotBeBoundToACheckThatIsNotRegistered(String property) {
		this.registering.withPropertyValues("consul.lock.session.bind-to-service=true", property)
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.isInstanceOf(InvalidLockPropertyException.class)
				.hasMessageContaining("consul.lock.session.bind-to-service"));
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void aNewcomerPassesTheQueueUnlessLocksAreFair(boolean fair) {
		this.runner.withPropertyValues("consul.lock.mode=local", "consul.lock.waiting.fair=" + fair).run((context) -> {
			ConsulClient consul = context.getBean(ConsulClient.class);
			Duration ample = Duration.ofMinutes(1);
			String session = consul.createSession(
					new SessionRequest("waits", ample, Duration.ZERO, SessionBehavior.RELEASE, List.of(), List.of()));
			String queue = "locks/.consul-lock/queues/a/.contenders/";
			consul.transact(List.of(KvOperation.set(queue + "marker", "", 0),
					KvOperation.lock(queue + session, session, "somebody", 0)), ample);
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			// A single attempt is too short for a session to be made on a busy machine.
			registry.obtain("warm-up").acquire().close();
			assertThat(registry.obtain("a").tryAcquire(Duration.ZERO).isEmpty()).isEqualTo(fair);
		});
	}

	@Test
	void theStartSaysThatWaitersWillNotOutlastACrash(CapturedOutput output) {
		this.runner.withPropertyValues("consul.lock.waiting.timeout=24s")
			.run((context) -> assertThat(output).containsPattern(
					"INFO.*consul.lock.waiting.timeout \\(24s\\) is below consul.lock.session.lock-delay"));
	}

	@Test
	void theStartSaysNothingOfWaitersThatOutlastLockDelay(CapturedOutput output) {
		this.runner.withPropertyValues("consul.lock.waiting.timeout=25s")
			.run((context) -> assertThat(output).doesNotContain("consul.lock.waiting.timeout"));
	}

	@Configuration(proxyBeanMethods = false)
	static class SecondRegistry {

		// tag::second-registry[]
		@Bean(defaultCandidate = false)
		@Qualifier("reports")
		ConsulLockRegistry reportsRegistry(ConsulClient client) {
			return ConsulLockRegistry.builder(client).keyPrefix("reports/").build();
		}
		// end::second-registry[]

	}

	static class OrderService {

		@DistributedLock("orders")
		void bill() {
		}

	}

	@DistributedLock("orders")
	static class AnnotatedClass {

	}

	static class InheritingClass extends OrderService {

	}

	static class PackagePrivateClass {

		@DistributedLock("orders")
		public void bill() {
		}

	}

	public static class PublicInheritingClass extends PackagePrivateClass {

	}

	@Configuration(proxyBeanMethods = false)
	static class Customizers {

		@Bean
		@Order(2)
		ConsulLockRegistryBuilderCustomizer second() {
			return (builder) -> builder.keyPrefix("second/");
		}

		@Bean
		@Order(1)
		ConsulLockRegistryBuilderCustomizer first() {
			return (builder) -> builder.keyPrefix("first/");
		}

	}

	/**
	 * Counts those who connect.
	 */
	private static final class CountingServer implements AutoCloseable {

		private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

		private final AtomicInteger connections = new AtomicInteger();

		CountingServer() throws IOException {
			Thread thread = new Thread(this::accept, "counting-server");
			thread.setDaemon(true);
			thread.start();
		}

		private void accept() {
			while (!this.socket.isClosed()) {
				try (Socket accepted = this.socket.accept()) {
					this.connections.incrementAndGet();
				}
				catch (IOException ex) {
					// Closed, or nobody there any more.
				}
			}
		}

		String host() {
			return this.socket.getInetAddress().getHostAddress();
		}

		int port() {
			return this.socket.getLocalPort();
		}

		int connections() {
			return this.connections.get();
		}

		@Override
		public void close() throws IOException {
			this.socket.close();
		}

	}

}
