package io.github.consullock.autoconfigure;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;
import org.springframework.cloud.consul.support.ConsulHeartbeatAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * An application that is in the catalog of a real Consul.
 */
@ConsulTest
class RegisteredApplicationTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private final ApplicationContextRunner runner;

	private final String key;

	private final URI url;

	RegisteredApplicationTests(ConsulServer consul, KeyPrefix prefix) {
		this.url = consul.httpUri();
		this.key = prefix.key("shutdown");
		this.runner = new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class,
					UtilAutoConfiguration.class, AutoServiceRegistrationConfiguration.class,
					AutoServiceRegistrationAutoConfiguration.class, ConsulServiceRegistryAutoConfiguration.class,
					ConsulHeartbeatAutoConfiguration.class, ConsulAutoServiceRegistrationAutoConfiguration.class))
			.withPropertyValues("spring.application.name=orders", "spring.cloud.consul.host=" + consul.host(),
					"spring.cloud.consul.port=" + consul.port(), "spring.cloud.consul.discovery.port=8080",
					"spring.cloud.consul.discovery.instance-id=orders-" + prefix.value().replaceAll("\\W", "-") + "x",
					"spring.cloud.consul.discovery.heartbeat.enabled=true",
					"spring.cloud.consul.discovery.heartbeat.ttl=10s", "consul.lock.key-prefix=" + prefix.value(),
					"consul.lock.waiting.timeout=1m");
	}

	@Test
	void aSessionBoundToTheServiceEndsWithItsRegistration() {
		this.runner.withPropertyValues("consul.lock.session.bind-to-service=true").run((context) -> {
			ConsulAutoServiceRegistration registration = context.getBean(ConsulAutoServiceRegistration.class);
			registration.start();
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

}
