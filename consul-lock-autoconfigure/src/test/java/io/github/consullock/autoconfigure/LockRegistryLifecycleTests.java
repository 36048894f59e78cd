package io.github.consullock.autoconfigure;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.client.serviceregistry.AutoServiceRegistrationConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistration;
import org.springframework.cloud.consul.serviceregistry.ConsulAutoServiceRegistrationAutoConfiguration;
import org.springframework.cloud.consul.serviceregistry.ConsulRegistration;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistry;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.atLeastOnce;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;

class LockRegistryLifecycleTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class));

	@Test
	void locksAreReleasedAfterServerAndSchedulersAndBeforeDeregistration() {
		List<String> events = new CopyOnWriteArrayList<>();
		this.runner
			.withConfiguration(AutoConfigurations.of(UtilAutoConfiguration.class,
					AutoServiceRegistrationConfiguration.class, AutoServiceRegistrationAutoConfiguration.class,
					ConsulServiceRegistryAutoConfiguration.class, ConsulAutoServiceRegistrationAutoConfiguration.class))
			.withPropertyValues("spring.cloud.consul.discovery.port=8080", "spring.application.name=orders")
			.withBean("events", Events.class, () -> new Events(events))
			.withUserConfiguration(Recording.class)
			.withBean(ThreadPoolTaskScheduler.class)
			.run((context) -> {
				Events server = context.getBean(Events.class);
				CountDownLatch taskStarted = new CountDownLatch(1);
				context.getBean(ThreadPoolTaskScheduler.class).execute(() -> {
					taskStarted.countDown();
					server.awaitServerStopped();
					server.add("scheduled task ended");
				});
				taskStarted.await();
				context.getBean(ConsulAutoServiceRegistration.class).start();
				assertThat(events).containsExactly("registered");
				close(context.getSourceApplicationContext());
				assertThat(events).containsExactly("registered", "server stopped", "scheduled task ended",
						"locks released", "deregistered");
			});
	}

	@Test
	void aPausedContextKeepsItsRegistries() {
		ConsulLockRegistry registry = mock(ConsulLockRegistry.class);
		this.runner.withBean(ConsulLockRegistry.class, () -> registry).run((context) -> {
			ConfigurableApplicationContext source = (ConfigurableApplicationContext) context
				.getSourceApplicationContext();
			source.pause();
			source.restart();
			verify(registry, never()).close();
			close(source);
			verify(registry, atLeastOnce()).close();
		});
	}

	@Test
	void aStoppedContextKeepsItsRegistriesUntilItIsClosed() {
		List<String> events = new CopyOnWriteArrayList<>();
		this.runner.withBean("events", Events.class, () -> new Events(events))
			.withUserConfiguration(Recording.class)
			.run((context) -> {
				ConfigurableApplicationContext source = (ConfigurableApplicationContext) context
					.getSourceApplicationContext();
				source.stop();
				assertThat(events).doesNotContain("locks released");
				source.start();
				source.stop();
				close(source);
				assertThat(events).containsOnlyOnce("locks released");
			});
	}

	@Test
	void severalRegistriesAreClosedSideBySide() {
		CountDownLatch bothClosing = new CountDownLatch(2);
		List<Boolean> met = new CopyOnWriteArrayList<>();
		this.runner.withBean("one", ConsulLockRegistry.class, () -> meeting(bothClosing, met))
			.withBean("two", ConsulLockRegistry.class, () -> meeting(bothClosing, met))
			.run((context) -> {
				close(context.getSourceApplicationContext());
				assertThat(met).startsWith(true, true).doesNotContain(false);
			});
	}

	@Test
	void aRegistryThatFailsToCloseKeepsNothingFromShuttingDown() {
		ConsulLockRegistry failing = mock(ConsulLockRegistry.class);
		doThrow(new IllegalStateException("as the test wants it")).when(failing).close();
		ConsulLockRegistry other = mock(ConsulLockRegistry.class);
		this.runner.withBean("failing", ConsulLockRegistry.class, () -> failing)
			.withBean("other", ConsulLockRegistry.class, () -> other)
			.run((context) -> {
				close(context.getSourceApplicationContext());
				verify(other, atLeastOnce()).close();
				assertThat(((ConfigurableApplicationContext) context.getSourceApplicationContext()).isActive())
					.isFalse();
			});
	}

	@Test
	void theEndOfAChildContextLeavesTheRegistriesOfItsParentOpen() {
		ConsulLockRegistry registry = mock(ConsulLockRegistry.class);
		try (GenericApplicationContext parent = new GenericApplicationContext()) {
			parent.registerBean(ConsulLockRegistry.class, () -> registry);
			parent.refresh();
			this.runner.withParent(parent).run((child) -> {
				assertThat(child.getBean(ConsulLockRegistry.class)).isSameAs(registry);
				close(child.getSourceApplicationContext());
				verify(registry, never()).close();
			});
		}
	}

	private static void close(Object context) {
		((ConfigurableApplicationContext) context).close();
	}

	private static ConsulLockRegistry meeting(CountDownLatch latch, List<Boolean> met) {
		ConsulLockRegistry registry = mock(ConsulLockRegistry.class);
		doAnswer((invocation) -> {
			latch.countDown();
			met.add(latch.await(1, TimeUnit.MINUTES));
			return null;
		}).when(registry).close();
		return registry;
	}

	/**
	 * What happened, in its order.
	 */
	static final class Events {

		private final List<String> list;

		private final CountDownLatch serverStopped = new CountDownLatch(1);

		Events(List<String> list) {
			this.list = list;
		}

		void add(String event) {
			this.list.add(event);
		}

		void serverStopped() {
			add("server stopped");
			this.serverStopped.countDown();
		}

		void awaitServerStopped() {
			try {
				this.serverStopped.await();
			}
			catch (InterruptedException ex) {
				add("interrupted");
			}
		}

	}

	/**
	 * An application whose parts note that they end.
	 */
	@Configuration(proxyBeanMethods = false)
	static class Recording {

		@Bean
		ConsulLockRegistry registry(Events events) {
			ConsulLockRegistry registry = mock(ConsulLockRegistry.class);
			AtomicBoolean closed = new AtomicBoolean();
			doAnswer((invocation) -> {
				if (closed.compareAndSet(false, true)) {
					events.add("locks released");
				}
				return null;
			}).when(registry).close();
			return registry;
		}

		@Bean
		ConsulServiceRegistry consulServiceRegistry(Events events) {
			ConsulServiceRegistry serviceRegistry = mock(ConsulServiceRegistry.class);
			doAnswer((invocation) -> {
				events.add("registered");
				return null;
			}).when(serviceRegistry).register(any(ConsulRegistration.class));
			doAnswer((invocation) -> {
				events.add("deregistered");
				return null;
			}).when(serviceRegistry).deregister(any(ConsulRegistration.class));
			return serviceRegistry;
		}

		@Bean
		Server server(Events events) {
			return new Server(events);
		}

	}

	/**
	 * Stands where the web server does.
	 */
	static final class Server implements SmartLifecycle {

		private final Events events;

		private volatile boolean running;

		Server(Events events) {
			this.events = events;
		}

		@Override
		public void start() {
			this.running = true;
		}

		@Override
		public void stop() {
			this.running = false;
			this.events.serverStopped();
		}

		@Override
		public boolean isRunning() {
			return this.running;
		}

	}

}
