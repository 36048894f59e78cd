package io.github.consullock.benchmarks;

import java.net.URI;
import java.util.Set;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Curator's lock on ZooKeeper.
 */
final class CuratorContender implements Contender {

	@Override
	public String name() {
		return "Curator";
	}

	@Override
	public String version() {
		return CuratorFramework.class.getProtectionDomain()
			.getCodeSource()
			.getLocation()
			.getPath()
			.replaceAll(".*-([0-9.]+)\\.jar", "$1");
	}

	@Override
	public Set<StoreKind> stores() {
		return Set.of(StoreKind.ZOOKEEPER);
	}

	@Override
	public boolean suits(SideBySide experiment) {
		return !(experiment instanceof Loss);
	}

	@Override
	public Client join(URI address) {
		CuratorFramework curator = CuratorFrameworkFactory.newClient(address.getAuthority(),
				new ExponentialBackoffRetry(100, 3));
		curator.start();
		return new CuratorLocks(curator);
	}

	private record CuratorLocks(CuratorFramework curator) implements Client {

		@Override
		public Mutex mutex(String key) {
			InterProcessMutex mutex = new InterProcessMutex(this.curator, "/" + key);
			return new Mutex() {

				@Override
				public void lock() throws Exception {
					mutex.acquire();
				}

				@Override
				public void unlock() throws Exception {
					mutex.release();
				}

			};
		}

		@Override
		public void close() {
			this.curator.close();
		}

	}

}
