package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockLostException;
import io.github.consullock.lock.ConsulLockRegistry;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * An application with an annotated method, which loses its locks in the midst of an HTTP
 * call.
 */
final class SpringLosses implements LossProbe {

	private final ConsulStore store;

	/** As bare as the floor's, so that what is sent is the same. */
	private final RawConsul destroying;

	private final ConfigurableApplicationContext context;

	private final SlowReceiver receiver;

	SpringLosses(ConsulStore store) throws IOException {
		this.store = store;
		this.destroying = new RawConsul(store.address());
		this.receiver = SlowReceiver.start();
		this.context = new SpringApplicationBuilder(Application.class)
			.properties("spring.cloud.consul.host=" + store.address().getHost(),
					"spring.cloud.consul.port=" + store.address().getPort(), "spring.main.web-application-type=none",
					"spring.main.banner-mode=off", "logging.level.root=error")
			.run();
	}

	@Override
	public Map<String, Long> lose(String key) throws Exception {
		Delivery delivery = this.context.getBean(Delivery.class);
		CompletableFuture<Long> caller = CompletableFuture
			.supplyAsync(() -> deliver(delivery, key.replace('/', '-'), this.receiver.address()));
		this.receiver.awaitRequest();
		ConsulLockRegistry registry = this.context.getBean(ConsulLockRegistry.class);
		while (registry.heldLocks().isEmpty()) {
			// What the receiver saw was the end of the last call.
			TimeUnit.MILLISECONDS.sleep(1);
		}
		String locked = registry.heldLocks().get(0).key();
		String session = JsonMapper.shared()
			.readTree(this.store.get("/v1/kv/" + locked))
			.required(0)
			.required("Session")
			.asString();
		TimeUnit.MILLISECONDS.sleep(5);
		long start = System.nanoTime();
		this.destroying.put("/v1/session/destroy/" + session, "");
		long caught = caller.join() - start;
		while (delivery.toldAt() < start) {
			Thread.onSpinWait();
		}
		return Map.of(Loss.TOLD, delivery.toldAt() - start, Loss.INTERRUPTED, delivery.abortedAt() - start,
				"caller has the exception", caught);
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

	@Override
	public void close() throws Exception {
		this.context.close();
		this.receiver.close();
		this.destroying.close();
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
