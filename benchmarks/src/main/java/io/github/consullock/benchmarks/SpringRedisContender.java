package io.github.consullock.benchmarks;

import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.Lock;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.integration.redis.util.RedisLockRegistry;
import org.springframework.integration.redis.util.RedisLockRegistry.RedisLockType;

/**
 * Spring Integration's lock registry on Redis, by publish and subscribe, the faster one
 * of its two ways to wait. It does not renew its locks.
 */
final class SpringRedisContender implements Contender {

	@Override
	public String name() {
		return "Spring Integration";
	}

	@Override
	public String version() {
		return RedisLockRegistry.class.getPackage().getImplementationVersion() + ", Lettuce";
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
		LettuceConnectionFactory connections = new LettuceConnectionFactory(address.getHost(), address.getPort());
		connections.afterPropertiesSet();
		connections.start();
		RedisLockRegistry registry = new RedisLockRegistry(connections, "bench", Duration.ofMinutes(5));
		registry.setRedisLockType(RedisLockType.PUB_SUB_LOCK);
		registry.setCacheCapacity(100_000);
		return new SpringLocks(registry, connections);
	}

	private record SpringLocks(RedisLockRegistry registry, LettuceConnectionFactory connections) implements Client {

		@Override
		public Mutex mutex(String key) {
			Lock lock = this.registry.obtain(key);
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
			this.registry.destroy();
			this.connections.destroy();
		}

	}

}
