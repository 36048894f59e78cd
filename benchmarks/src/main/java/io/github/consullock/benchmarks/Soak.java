package io.github.consullock.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

import tools.jackson.databind.json.JsonMapper;

/**
 * A million acquisitions over many keys: does the heap grow, and is anything left?
 */
final class Soak implements Experiment {

	static final String HEAP = "heap MB";

	static final String KEYS_LEFT = "keys left in Consul";

	static final String SESSIONS_LEFT = "sessions left in Consul";

	static final String END = "after the end";

	private static final int THREADS = 16;

	private static final int PARTS = 10;

	@Override
	public String id() {
		return "soak";
	}

	@Override
	public String title() {
		return "A million acquisitions over 100,000 keys, by 16 threads";
	}

	@Override
	public String plotted() {
		return HEAP;
	}

	static Row after(int part) {
		return Row.of("after " + 100 * part / PARTS + " %");
	}

	@Override
	public void run(Bench bench) throws Exception {
		int perThread = bench.settings().size(1_000_000, 10_000) / PARTS / THREADS;
		int keys = bench.settings().size(100_000, 1_000);
		ConsulStore store = (ConsulStore) bench.store(StoreKind.CONSUL_MEMORY);
		ExecutorService threads = Executors.newFixedThreadPool(THREADS);
		int sessions = sessions(store);
		try (Client client = new ConsulLockContender().join(store.address())) {
			for (int part = 1; part <= PARTS; part++) {
				long start = System.nanoTime();
				List<CompletableFuture<Void>> tasks = new ArrayList<>();
				for (int i = 0; i < THREADS; i++) {
					tasks.add(CompletableFuture.runAsync(() -> lockAndUnlock(client, perThread, keys), threads));
				}
				tasks.forEach(CompletableFuture::join);
				double seconds = (System.nanoTime() - start) / 1e9;
				bench.results()
					.add(this, after(part), 1,
							new Sample().put(HEAP, HoldingProcess.heap() / 1e6)
								.put(Sample.PAIRS, perThread * THREADS / seconds)
								.put("threads", Thread.activeCount()));
			}
		}
		finally {
			threads.shutdown();
		}
		String left = store.get("/v1/kv/consul-lock/?keys");
		bench.results()
			.add(this, Row.of(END), 1,
					new Sample().put(KEYS_LEFT, left.isEmpty() ? 0 : JsonMapper.shared().readTree(left).size())
						.put(SESSIONS_LEFT, sessions(store) - sessions));
	}

	private static int sessions(ConsulStore store) throws Exception {
		return JsonMapper.shared().readTree(store.get("/v1/session/list")).size();
	}

	private static void lockAndUnlock(Client client, int times, int keys) {
		try {
			for (int i = 0; i < times; i++) {
				Mutex mutex = client.mutex("soak/" + ThreadLocalRandom.current().nextInt(keys));
				mutex.lock();
				mutex.unlock();
			}
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
