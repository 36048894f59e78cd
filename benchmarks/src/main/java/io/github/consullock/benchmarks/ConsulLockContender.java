package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;

import io.github.consullock.LockHandle;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;

/**
 * This library, with its default settings, but for the time that it waits.
 */
final class ConsulLockContender implements Contender {

	static final String NAME = "consul-lock";

	@Override
	public String name() {
		return NAME;
	}

	@Override
	public String version() {
		return "0.1.0-SNAPSHOT";
	}

	@Override
	public Set<StoreKind> stores() {
		return StoreKind.CONSUL;
	}

	@Override
	public boolean suits(SideBySide experiment) {
		return true;
	}

	@Override
	public Client join(URI address) {
		return new Registry(HttpConsulClient.builder(address).build());
	}

	@Override
	public LossProbe losses(Store store) throws IOException {
		return new SpringLosses((ConsulStore) store);
	}

	/** A registry as a client. */
	static final class Registry implements Client {

		private final ConsulClient client;

		private final ConsulLockRegistry registry;

		Registry(ConsulClient client) {
			this.client = client;
			this.registry = ConsulLockRegistry.builder(client)
				.keyPrefix("consul-lock/")
				.waitTime(Duration.ofMinutes(5))
				.build();
		}

		@Override
		public Mutex mutex(String key) {
			ConsulLock lock = this.registry.obtain(key);
			return new Mutex() {

				private @Nullable LockHandle handle;

				@Override
				public void lock() {
					this.handle = lock.acquire();
				}

				@Override
				public void unlock() {
					if (!Objects.requireNonNull(this.handle).release()) {
						throw new IllegalStateException("The lock " + key + " was lost");
					}
				}

			};
		}

		@Override
		public void close() {
			this.registry.close();
			this.client.close();
		}

	}

}
