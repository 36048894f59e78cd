package io.github.consullock.benchmarks;

import java.util.EnumSet;
import java.util.concurrent.TimeUnit;

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
		try (Load load = contender.start(this.shape, store, key)) {
			TimeUnit.MILLISECONDS.sleep(settings.warmUp().toMillis());
			load.pause();
			Work before = store.work();
			load.measure();
			TimeUnit.MILLISECONDS.sleep(settings.measured().toMillis());
			Sample sample = load.finish();
			Work after = store.work();
			double pairs = sample.get(Sample.COUNT);
			if (before != null && after != null && pairs > 0) {
				sample.put(Sample.REQUESTS, (after.requests() - before.requests()) / pairs);
				sample.put(Sample.WRITES, (after.writes() - before.writes()) / pairs);
			}
			return sample;
		}
	}

}
