package io.github.consullock.autoconfigure;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistry;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;
import org.springframework.cloud.consul.support.ConsulHeartbeatAutoConfiguration;
import org.springframework.web.client.RestClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.spy;

/**
 * An application that is in the catalog of a real Consul.
 */
@ConsulTest
class RegisteredApplicationTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private final ApplicationContextRunner runner;

	private final String key;

	private final String instanceId;

	private final URI url;

	RegisteredApplicationTests(ConsulServer consul, KeyPrefix prefix) {
		this.url = consul.httpUri();
		this.key = prefix.key("shutdown");
		this.instanceId = "orders-" + prefix.value().replaceAll("\\W", "-") + "x";
		this.runner = new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class,
					UtilAutoConfiguration.class, AutoServiceRegistrationConfiguration.class,
					AutoServiceRegistrationAutoConfiguration.class, ConsulServiceRegistryAutoConfiguration.class,
					ConsulHeartbeatAutoConfiguration.class, ConsulAutoServiceRegistrationAutoConfiguration.class))
			.withPropertyValues("spring.application.name=orders", "spring.cloud.consul.host=" + consul.host(),
					"spring.cloud.consul.port=" + consul.port(), "spring.cloud.consul.discovery.port=8080",
					"spring.cloud.consul.discovery.instance-id=" + this.instanceId,
					"spring.cloud.consul.discovery.heartbeat.enabled=true",
					"spring.cloud.consul.discovery.heartbeat.ttl=10s", "consul.lock.key-prefix=" + prefix.value(),
					"consul.lock.waiting.timeout=1m");
	}

	@Test
	void aSessionBoundToTheServiceEndsWithItsRegistration() {
		this.runner.withPropertyValues("consul.lock.session.bind-to-service=true").run((context) -> {
			ConsulAutoServiceRegistration registration = context.getBean(ConsulAutoServiceRegistration.class);
			registration.start();
			await().until(this::isInCatalog);
			LockHandle handle = context.getBean(ConsulLockRegistry.class)
				.obtain("bound")
				.tryAcquire(TIMEOUT)
				.orElseThrow();
			List<LockLostReason> lost = new CopyOnWriteArrayList<>();
			handle.onLost(lost::add);
			registration.stop();
			await().untilAsserted(() -> assertThat(lost).containsExactly(LockLostReason.SESSION_INVALIDATED));
		});
	}

	@Test
	void aLockThatIsHeldIsReleasedAndItsSessionDestroyedByTheShutdown() {
		try (ConsulClient observer = new PatientClient(this.url)) {
			this.runner.withPropertyValues("consul.lock.shutdown-timeout=100ms").run((context) -> {
				LockHandle handle = context.getBean(ConsulLockRegistry.class).obtain("shutdown").acquire();
				List<LockLostReason> lost = new CopyOnWriteArrayList<>();
				handle.onLost((reason) -> {
					lost.add(reason);
					handle.release();
				});
				String session = observer.read(this.key, TIMEOUT).map(KvEntry::session).orElseThrow();
				context.close();
				await().untilAsserted(() -> assertThat(lost).containsExactly(LockLostReason.SHUTDOWN));
				assertThat(PatientClient.answered(() -> observer.renewSession(session)))
					.isInstanceOf(RenewalOutcome.Ended.class);
				assertThat(observer.read(this.key, TIMEOUT)).satisfiesAnyOf((entry) -> assertThat(entry).isEmpty(),
						(entry) -> assertThat(entry.orElseThrow().session()).isNull());
			});
		}
	}

	@Test
	void aBodyIsCancelledAndItsLockFreeBeforeTheApplicationLeavesTheCatalog() {
		try (ConsulClient observer = new PatientClient(this.url)) {
			List<Departure> departures = new CopyOnWriteArrayList<>();
			this.runner.withPropertyValues("consul.lock.shutdown-timeout=100ms")
				.withBean(Report.class)
				.withBean(AtDeregistration.class,
						() -> new AtDeregistration(
								() -> departures.add(new Departure(isLocked(observer), isInCatalog()))))
				.run((context) -> {
					context.getBean(ConsulAutoServiceRegistration.class).start();
					await().until(this::isInCatalog);
					CountDownLatch running = new CountDownLatch(1);
					FutureTask<Void> caller = new FutureTask<>(() -> {
						context.getBean(Report.class).write(running);
						return null;
					});
					new Thread(caller).start();
					running.await();
					assertThat(isLocked(observer)).isTrue();
					context.close();
					assertThat(departures).containsExactly(new Departure(false, true));
					assertThatExceptionOfType(ExecutionException.class).isThrownBy(caller::get)
						.havingCause()
						.isInstanceOfSatisfying(LockLostException.class,
								(ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SHUTDOWN))
						.withCauseInstanceOf(InterruptedException.class);
					await().until(() -> !isInCatalog());
				});
		}
	}

	private boolean isLocked(ConsulClient observer) {
		return observer.read(this.key, TIMEOUT).map(KvEntry::session).isPresent();
	}

	private boolean isInCatalog() {
		return RestClient.create()
			.get()
			.uri(this.url.resolve("/v1/catalog/service/orders"))
			.retrieve()
			.body(String.class)
			.contains("\"" + this.instanceId + "\"");
	}

	/** What was so when the application was about to leave the catalog. */
	record Departure(boolean locked, boolean inCatalog) {
	}

	/** Looks around right before the application is deregistered. */
	record AtDeregistration(Runnable look) implements BeanPostProcessor {

		@Override
		public Object postProcessAfterInitialization(Object bean, String name) {
			if (!(bean instanceof ConsulServiceRegistry)) {
				return bean;
			}
			ConsulServiceRegistry registry = (ConsulServiceRegistry) spy(bean);
			doAnswer((invocation) -> {
				this.look.run();
				return invocation.callRealMethod();
			}).when(registry).deregister(any());
			return registry;
		}

	}

	static class Report {

		@DistributedLock("shutdown")
		public void write(CountDownLatch running) throws InterruptedException {
			running.countDown();
			new CountDownLatch(1).await();
		}

	}

}
