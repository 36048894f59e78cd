package io.github.consullock.benchmarks;

import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Measures what the documentation states, on a real Consul, and prints it: medians, with
 * the range.
 */
public final class Measurements {

	private static final int RUNS = 20;

	private static final int PAIRS = 500;

	private Measurements() {
	}

	/**
	 * Runs all measurements.
	 * @param args none
	 * @throws Exception if one fails
	 */
	public static void main(String[] args) throws Exception {
		try (ConsulServer consul = ConsulServer.start();
				ConfigurableApplicationContext context = start(consul);
				SlowReceiver receiver = new SlowReceiver()) {
			lossToAbort(context, receiver);
			uncontendedPairs(context.getBean(ConsulLockRegistry.class));
		}
	}

	private static ConfigurableApplicationContext start(ConsulServer consul) {
		return new SpringApplicationBuilder(Application.class)
			.properties("spring.cloud.consul.host=" + consul.host(), "spring.cloud.consul.port=" + consul.port(),
					"spring.main.web-application-type=none", "spring.main.banner-mode=off", "logging.level.root=error")
			.run();
	}

	/**
	 * From the moment at which the destruction of the holder's session is sent to Consul,
	 * to that at which its body's HTTP call ends, and to that at which the caller of the
	 * annotated method has its exception.
	 */
	private static void lossToAbort(ConfigurableApplicationContext context, SlowReceiver receiver) throws Exception {
		Delivery delivery = context.getBean(Delivery.class);
		ConsulClient client = context.getBean(ConsulClient.class);
		ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
		long[] aborted = new long[RUNS];
		long[] told = new long[RUNS];
		for (int i = -2; i < RUNS; i++) {
			String key = "run-" + i;
			URI address = receiver.address();
			CompletableFuture<Long> caller = CompletableFuture.supplyAsync(() -> deliver(delivery, key, address));
			receiver.awaitRequest();
			LockHandle held = registry.heldLocks().get(0);
			KvEntry entry = client.read(held.key(), Duration.ofSeconds(5)).orElseThrow();
			String session = entry.session();
			if (session == null) {
				throw new IllegalStateException("Not held: " + entry);
			}
			long start = System.nanoTime();
			client.destroySession(session);
			long toldAt = caller.join();
			if (i >= 0) {
				aborted[i] = delivery.abortedAt() - start;
				told[i] = toldAt - start;
			}
		}
		print("session destroyed to HTTP call aborted", aborted);
		print("session destroyed to caller told", told);
	}

	private static long deliver(Delivery delivery, String key, URI address) {
		try {
			throw new IllegalStateException("Not cancelled: " + delivery.deliver(key, address));
		}
		catch (LockLostException ex) {
			return System.nanoTime();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static void uncontendedPairs(ConsulLockRegistry registry) {
		long[] pairs = new long[PAIRS];
		for (int i = -PAIRS; i < PAIRS; i++) {
			long start = System.nanoTime();
			registry.obtain("pair").acquire().close();
			if (i >= 0) {
				pairs[i] = System.nanoTime() - start;
			}
		}
		print("uncontended acquire and release", pairs);
	}

	@SuppressWarnings("SystemOut") // What a measurement is for.
	private static void print(String what, long[] nanos) {
		long[] sorted = nanos.clone();
		Arrays.sort(sorted);
		System.out.printf("%-45s median %.2f ms, min %.2f ms, max %.2f ms, %d runs%n", what,
				sorted[sorted.length / 2] / 1e6, sorted[0] / 1e6, sorted[sorted.length - 1] / 1e6, sorted.length);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Delivery delivery() {
			return new Delivery();
		}

	}

}
