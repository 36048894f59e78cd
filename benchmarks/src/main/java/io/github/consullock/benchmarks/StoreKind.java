package io.github.consullock.benchmarks;

import java.util.Set;

/**
 * The servers that locks are kept in, and how safely.
 */
enum StoreKind {

	/** Consul's development mode. */
	CONSUL_MEMORY("Consul, in memory"),

	/** One server with its data in a folder. */
	CONSUL_DISK("Consul, on disk"),

	/** Redis that writes nothing to disk. */
	REDIS_MEMORY("Redis, in memory"),

	/** Redis with {@code appendfsync always}. */
	REDIS_DISK("Redis, on disk"),

	/** One server; on disk. */
	ZOOKEEPER("ZooKeeper, on disk"),

	/** One server; on disk. */
	ETCD("etcd, on disk");

	static final Set<StoreKind> CONSUL = Set.of(CONSUL_MEMORY, CONSUL_DISK);

	static final Set<StoreKind> REDIS = Set.of(REDIS_MEMORY, REDIS_DISK);

	private final String title;

	StoreKind(String title) {
		this.title = title;
	}

	Store start() throws Exception {
		return switch (this) {
			case CONSUL_MEMORY -> ConsulStore.inMemory();
			case CONSUL_DISK -> ConsulStore.onDisk();
			case REDIS_MEMORY, REDIS_DISK -> RedisStore.start(this);
			case ZOOKEEPER -> ZooKeeperStore.start();
			case ETCD -> EtcdStore.start();
		};
	}

	@Override
	public String toString() {
		return this.title;
	}

}
