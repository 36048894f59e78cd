package io.github.consullock.benchmarks;

import java.util.EnumSet;
import java.util.concurrent.TimeUnit;

import io.github.consullock.benchmarks.Store.Work;

/**
 * Many locks held by one client, and what that takes.
 */
final class Held extends SideBySide {

	static final String LOCKS = "locks held";

	static final String THREADS = "more threads";

	static final String HEAP = "heap bytes/lock";

	static final String SOCKETS = "sockets";

	static final String REQUESTS = "requests/s";

	static final String LATER = "requests/s, a minute later";

	Held() {
		super("held", "Many locks held by one client", HEAP,
				EnumSet.of(StoreKind.CONSUL_MEMORY, StoreKind.REDIS_MEMORY, StoreKind.ZOOKEEPER, StoreKind.ETCD));
	}

	@Override
	int rounds(Settings settings) {
		return 1;
	}

	@Override
	Sample measure(Contender contender, Store store, String key, Settings settings) throws Exception {
		boolean ours = contender instanceof ConsulLockContender;
		int locks = ours ? settings.size(10_000, 1_000) : settings.size(1_000, 100);
		int sockets = Sockets.to(store);
		try (Holding holding = contender.hold(locks, store, key)) {
			Sample sample = holding.sample();
			addRequests(sample, REQUESTS, store, settings);
			sample.put(SOCKETS, Sockets.to(store) - sockets);
			if (store.work() != null) {
				TimeUnit.SECONDS.sleep(settings.size(60, 10));
				addRequests(sample, LATER, store, settings);
			}
			return sample;
		}
	}

	private static void addRequests(Sample sample, String name, Store store, Settings settings) throws Exception {
		Work before = store.work();
		long start = System.nanoTime();
		Thread.sleep(settings.measured().multipliedBy(5).toMillis());
		Work after = store.work();
		if (before != null && after != null) {
			sample.put(name, (after.requests() - before.requests()) * 1e9 / (System.nanoTime() - start));
		}
	}

}
