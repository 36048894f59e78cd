package io.github.consullock.autoconfigure;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.PatientClient;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServerTestConfiguration;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * An application with nothing but the starter and an annotated bean, on a real Consul.
 */
@SpringBootTest(webEnvironment = WebEnvironment.NONE,
		properties = { "spring.application.name=orders", "consul.lock.key-prefix=application-tests/",
				"spring.cloud.consul.discovery.register=false", "consul.lock.waiting.timeout=1m" })
@Import(ConsulServerTestConfiguration.class)
class ConsulLockApplicationTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	@Autowired
	private Shipping shipping;

	@Autowired
	private ConsulLockRegistry registry;

	@Autowired
	private ConsulClient client;

	@Test
	void anAnnotatedMethodHoldsItsLockInConsulWhileItRuns() {
		String key = "application-tests/shipping/42";
		Optional<KvEntry> during = this.shipping.ship("42", () -> {
			assertThat(LockHandle.current().key()).isEqualTo(key);
			return this.client.read(key, TIMEOUT);
		});
		assertThat(during).hasValueSatisfying((entry) -> assertThat(entry.session()).isNotNull());
		await().untilAsserted(() -> assertThat(this.client.read(key, TIMEOUT)).isEmpty());
	}

	@Test
	void anotherInstanceMayNotRunItMeanwhile() {
		try (ConsulLockRegistry other = another(); LockHandle handle = other.obtain("shipping/43").acquire()) {
			// A single attempt is too short for a session to be made on a busy machine.
			this.shipping.ship("warm-up", () -> 0);
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shipNow("43"))
				.withMessageContaining("application-tests/shipping/43");
			assertThat(handle.isHeld()).isTrue();
		}
		assertThat(shipNow("43")).isPositive();
	}

	private ConsulLockRegistry another() {
		return ConsulLockRegistry.builder(this.client).keyPrefix("application-tests/").waitTime(TIMEOUT).build();
	}

	private long shipNow(String id) {
		return PatientClient.answered(() -> this.shipping.shipNow(id));
	}

	@Test
	void theBodyIsCancelledWhenItsSessionIsDestroyed() throws InterruptedException {
		CountDownLatch running = new CountDownLatch(1);
		CompletableFuture<Void> call = CompletableFuture.runAsync(() -> this.shipping.ship("44", () -> {
			running.countDown();
			new CountDownLatch(1).await();
			return null;
		}));
		running.await();
		KvEntry entry = this.client.read("application-tests/shipping/44", TIMEOUT).orElseThrow();
		PatientClient.done(() -> this.client.destroySession(String.valueOf(entry.session())));
		assertThat(call).failsWithin(TIMEOUT)
			.withThrowableThat()
			.havingRootCause()
			.isInstanceOf(InterruptedException.class);
		assertThat(call.handle((result, failure) -> failure.getCause()).join()).isInstanceOfSatisfying(
				LockLostException.class,
				(lost) -> assertThat(lost.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		await().untilAsserted(() -> assertThat(this.registry.heldLocks()).isEmpty());
	}

	@Test
	void theEntryNamesTheInstance() {
		try (LockHandle handle = this.registry.obtain("named").acquire()) {
			assertThat(this.client.read(handle.key(), TIMEOUT))
				.hasValueSatisfying((entry) -> assertThat(entry.value()).contains("orders@"));
		}
	}

	/**
	 * What a user would write.
	 */
	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Shipping shipping() {
			return new Shipping();
		}

	}

	static class Shipping {

		@DistributedLock("shipping/#{#id}")
		<T> T ship(String id, Callable<T> body) {
			try {
				return body.call();
			}
			catch (RuntimeException ex) {
				throw ex;
			}
			catch (Exception ex) {
				throw new IllegalStateException(ex);
			}
		}

		@DistributedLock(key = "shipping/#{#id}", waitTime = "0s")
		long shipNow(String id) {
			return LockHandle.current().fencingToken();
		}

	}

}
