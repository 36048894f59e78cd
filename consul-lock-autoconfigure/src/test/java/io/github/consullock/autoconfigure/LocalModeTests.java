package io.github.consullock.autoconfigure;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Locks without Consul.
 */
@ExtendWith(OutputCaptureExtension.class)
class LocalModeTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class));

	private final ApplicationContextRunner registering = this.runner
		.withConfiguration(AutoConfigurations.of(UtilAutoConfiguration.class,
				AutoServiceRegistrationConfiguration.class, AutoServiceRegistrationAutoConfiguration.class,
				ConsulServiceRegistryAutoConfiguration.class, ConsulAutoServiceRegistrationAutoConfiguration.class))
		.withPropertyValues("spring.cloud.consul.discovery.instance-id=orders-1",
				"spring.cloud.consul.discovery.port=8080");

	@Test
	void listenersAreToldOfLocks() {
		List<String> keys = new ArrayList<>();
		LockListener listener = new LockListener() {

			@Override
			public void acquired(LockHandle handle, Duration waited) {
				keys.add(handle.key());
			}

		};
		this.runner.withPropertyValues("consul.lock.mode=local")
			.withBean(LockListener.class, () -> listener)
			.run((context) -> {
				context.getBean(ConsulLockRegistry.class).obtain("a").acquire().release();
				assertThat(keys).containsExactly("locks/a");
			});
	}

	@Test
	void theModeLocalLocksInsideThisJvmAndWarns(CapturedOutput output) {
		this.runner.withPropertyValues("consul.lock.mode=local", "spring.cloud.consul.port=1").run((context) -> {
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			try (LockHandle handle = registry.obtain("a").acquire()) {
				assertThat(handle.isHeld()).isTrue();
				assertThat(registry.obtain("a").tryAcquire(Duration.ZERO)).isEmpty();
			}
			assertThat(output).containsPattern("WARN.*consul.lock.mode is 'local'.*inside this JVM only");
		});
	}

	@Test
	void theModeLocalIsRefusedToAnApplicationThatRegisters() {
		this.registering.withPropertyValues("consul.lock.mode=local")
			.run((context) -> assertThat(context).getFailure().hasRootCauseInstanceOf(LocalModeRefusedException.class));
	}

	@ParameterizedTest
	@ValueSource(strings = { "consul.lock.local.allow-registered=true", "spring.cloud.consul.discovery.register=false",
			"spring.cloud.consul.discovery.lifecycle.enabled=false",
			"spring.cloud.service-registry.auto-registration.enabled=false", "spring.cloud.consul.enabled=false" })
	void theModeLocalIsAllowedToAnApplicationThatDoesNotRegisterOrSaysSo(String property) {
		this.registering.withPropertyValues("consul.lock.mode=local", property)
			.run((context) -> assertThat(context).hasSingleBean(ConsulLockRegistry.class));
	}

	@Test
	void theModeLocalNeedsNoDiscoveryOnTheClasspath() {
		this.runner
			.withClassLoader(new FilteredClassLoader("org.springframework.cloud.consul.discovery",
					"org.springframework.cloud.consul.serviceregistry"))
			.withPropertyValues("consul.lock.mode=local")
			.run((context) -> assertThat(context).hasSingleBean(ConsulLockRegistry.class));
	}

	@Test
	void annotatedMethodsLockInTheModeLocal() {
		this.runner.withPropertyValues("consul.lock.mode=local").withBean(Orders.class).run((context) -> {
			Orders orders = context.getBean(Orders.class);
			// A single attempt is too short for a session to be made on a busy machine.
			context.getBean(ConsulLockRegistry.class).obtain("warm-up").acquire().close();
			assertThat(orders.bill()).isEqualTo("locks/orders");
			try (LockHandle handle = context.getBean(ConsulLockRegistry.class).obtain("orders").acquire()) {
				assertThat(handle.isHeld()).isTrue();
				assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(orders::bill);
			}
		});
	}

	@Test
	void locksOfEveryKindLockInTheModeLocal() {
		this.runner.withPropertyValues("consul.lock.mode=local", "spring.cloud.consul.port=1").run((context) -> {
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			registry.obtain("warm-up").acquire().close();
			try (LockHandle both = registry.obtainAll(List.of("b", "c")).acquire();
					LockHandle permit = registry.semaphore("pool", 2).acquire();
					LockHandle reader = registry.readWriteLock("doc").readLock().acquire()) {
				assertThat(registry.obtain("c").tryAcquire(Duration.ZERO)).isEmpty();
				try (LockHandle second = registry.semaphore("pool", 2).acquire();
						LockHandle other = registry.readWriteLock("doc").readLock().acquire()) {
					assertThat(List.of(both, permit, reader, second, other)).allMatch(LockHandle::isHeld);
					assertThat(registry.semaphore("pool", 2).tryAcquire(Duration.ZERO)).isEmpty();
					assertThat(registry.readWriteLock("doc").writeLock().tryAcquire(Duration.ZERO)).isEmpty();
				}
			}
			registry.readWriteLock("doc").writeLock().acquire().close();
			registry.obtain("c").acquire().close();
			assertThat(registry.heldLocks()).isEmpty();
		});
	}

	@Test
	void everyAttributeOfAnAnnotatedMethodCountsInTheModeLocal() {
		this.runner.withPropertyValues("consul.lock.mode=local").withBean(Orders.class).run((context) -> {
			Orders orders = context.getBean(Orders.class);
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			registry.obtain("warm-up").acquire().close();
			assertThat(orders.merge("1", "2")).containsExactly("locks/orders/1", "locks/orders/2");
			CompletableFuture<String> end = new CompletableFuture<>();
			CompletableFuture<String> result = orders.bill(end);
			Awaitility.await().until(() -> registry.semaphore("billing", 1).holders().size() == 1);
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> registry.semaphore("billing", 1).acquire(Duration.ZERO));
			end.complete("billed");
			assertThat(result.join()).isEqualTo("billed");
			assertThat(registry.heldLocks()).isEmpty();
		});
	}

	static class Orders {

		@DistributedLock(keys = { "orders/#{#first}", "orders/#{#second}" })
		List<String> merge(String first, String second) {
			return LockHandle.current().keys();
		}

		@DistributedLock(key = "billing", limit = 1)
		CompletableFuture<String> bill(CompletableFuture<String> end) {
			return end;
		}

		@DistributedLock(key = "orders", waitTime = "0s")
		String bill() {
			return LockHandle.current().key();
		}

	}

}
