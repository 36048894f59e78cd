package io.github.consullock.autoconfigure;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.github.consullock.lock.ConsulLockRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.scheduling.concurrent.ExecutorConfigurationSupport;

/**
 * Closes the lock registries of an application context when it is closed: after the web
 * server, message listeners, schedulers and executors have stopped, so that no more locks
 * are asked for and most have been released, and before any bean is destroyed, which is
 * when the application's registration in Consul goes, and with it a session bound to its
 * health check.
 * <p>
 * A context that is merely stopped or paused, as idle ones in tests are, keeps its
 * registries: it may be started again, and a closed registry stays closed.
 */
final class LockRegistryLifecycle implements SmartLifecycle {

	static final int PHASE = ExecutorConfigurationSupport.DEFAULT_PHASE - 1024;

	private static final Logger logger = LoggerFactory.getLogger(LockRegistryLifecycle.class);

	private final ConfigurableApplicationContext context;

	private volatile Map<String, ConsulLockRegistry> registries = Map.of();

	private volatile boolean running;

	LockRegistryLifecycle(ConfigurableApplicationContext context) {
		this.context = context;
	}

	@Override
	public void start() {
		// Not those of a parent context, which outlives this one.
		this.registries = this.context.getBeanFactory().getBeansOfType(ConsulLockRegistry.class, false, true);
		this.running = true;
	}

	@Override
	public void stop() {
		if (!this.context.isClosed()) {
			return;
		}
		this.running = false;
		List<Thread> closings = new ArrayList<>();
		this.registries.forEach((name, registry) -> {
			Thread closing = new Thread(() -> close(name, registry), "consul-lock-close-" + name);
			closing.start();
			closings.add(closing);
		});
		try {
			for (Thread closing : closings) {
				closing.join();
			}
		}
		catch (InterruptedException ex) {
			logger.warn("Interrupted while locks were being released; the application shuts down without them");
			Thread.currentThread().interrupt();
		}
	}

	private static void close(String name, ConsulLockRegistry registry) {
		try {
			registry.close();
		}
		catch (RuntimeException ex) {
			logger.warn("The lock registry '{}' did not close; its locks end with their session", name, ex);
		}
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public boolean isPauseable() {
		return false;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
