package io.github.consullock.benchmarks;

import java.util.EnumSet;

import io.github.consullock.benchmarks.Store.Work;

/**
 * Threads that lock and unlock without a pause.
 */
final class Pairs extends SideBySide {

	private final Shape shape;

	private Pairs(String id, String title, String plotted, Shape shape) {
		super(id, title, plotted, EnumSet.allOf(StoreKind.class));
		this.shape = shape;
	}

	static Pairs ownKeys(int threads) {
		String title = (threads == 1) ? "1 thread, a key of its own" : threads + " threads, a key each";
		return new Pairs("own-" + threads, title, Sample.PAIRS, new Shape(1, threads, false));
	}

	static Pairs oneKeyOneJvm(int threads) {
		return new Pairs("one-jvm-" + threads, threads + " threads of one client, one key", Sample.PAIRS,
				new Shape(1, threads, true));
	}

	static Pairs oneKey(int clients) {
		return new Pairs("clients-" + clients, clients + " clients, one key", Sample.HAND_OVER,
				new Shape(clients, 1, true));
	}

	Shape shape() {
		return this.shape;
	}

	@Override
	Sample measure(Contender contender, Store store, String key, Settings settings) throws Exception {
		Load load = contender.start(this.shape, store, key);
		Thread.sleep(settings.warmUp().toMillis());
		Work before = store.work();
		load.measure();
		Thread.sleep(settings.measured().toMillis());
		Work after = store.work();
		Sample sample = load.finish();
		double pairs = sample.get(Sample.PAIRS) * settings.measured().toMillis() / 1e3;
		if (before != null && after != null && pairs > 0) {
			sample.put(Sample.REQUESTS, (after.requests() - before.requests()) / pairs);
			sample.put(Sample.WRITES, (after.writes() - before.writes()) / pairs);
		}
		return sample;
	}

}
