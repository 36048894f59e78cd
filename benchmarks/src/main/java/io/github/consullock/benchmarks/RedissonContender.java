package io.github.consullock.benchmarks;

import java.net.URI;
import java.util.Set;

import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/**
 * Redisson's lock, which its watchdog renews.
 */
final class RedissonContender implements Contender {

	@Override
	public String name() {
		return "Redisson";
	}

	@Override
	public String version() {
		return String.valueOf(Redisson.class.getPackage().getImplementationVersion());
	}

	@Override
	public Set<StoreKind> stores() {
		return StoreKind.REDIS;
	}

	@Override
	public boolean suits(SideBySide experiment) {
		return !(experiment instanceof Loss);
	}

	@Override
	public Client join(URI address) {
		Config config = new Config();
		// Of the defaults, threads and idle connections alone are fewer, for many clients
		// in one JVM.
		config.setThreads(4).setNettyThreads(4);
		config.useSingleServer().setAddress(address.toString()).setConnectionMinimumIdleSize(2);
		return new RedissonLocks(Redisson.create(config));
	}

	private record RedissonLocks(RedissonClient redisson) implements Client {

		@Override
		public Mutex mutex(String key) {
			RLock lock = this.redisson.getLock(key);
			return new Mutex() {

				@Override
				public void lock() {
					lock.lock();
				}

				@Override
				public void unlock() {
					lock.unlock();
				}

			};
		}

		@Override
		public void close() {
			this.redisson.shutdown();
		}

	}

}
