package io.github.consullock.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import io.github.consullock.benchmarks.Store.Work;
import org.HdrHistogram.Histogram;

/**
 * Many keys that one client waits for, while another holds them and gives up one after
 * the other.
 */
final class Waited extends SideBySide {

	static final String SERVED = "served, of all";

	static final String SOCKETS = "sockets of waiters";

	static final String WAKE_UP = "wake-up p50 ms";

	/** For all together, once the last one is free. */
	private static final Duration LIMIT = Duration.ofSeconds(30);

	Waited() {
		super("waited", "1,000 keys, each waited for by a thread of one client", WAKE_UP,
				Set.of(StoreKind.CONSUL_MEMORY, StoreKind.REDIS_MEMORY, StoreKind.ZOOKEEPER, StoreKind.ETCD));
	}

	@Override
	int rounds(Settings settings) {
		return 1;
	}

	@Override
	Sample measure(Contender contender, Store store, String key, Settings settings) throws Exception {
		int keys = settings.size(1_000, 200);
		try (Client holder = contender.join(store.address()); Client waiting = contender.join(store.address())) {
			List<Mutex> held = new ArrayList<>();
			for (int i = 0; i < keys; i++) {
				Mutex mutex = holder.mutex(key + "/" + i);
				mutex.lock();
				held.add(mutex);
			}
			// Until the holder's own watches are there.
			TimeUnit.SECONDS.sleep(3);
			int sockets = Sockets.to(store);
			Map<Integer, Long> acquired = new ConcurrentHashMap<>();
			List<Thread> waiters = new ArrayList<>();
			for (int i = 0; i < keys; i++) {
				waiters.add(waiter(waiting.mutex(key + "/" + i), i, acquired));
				TimeUnit.MILLISECONDS.sleep(2);
			}
			TimeUnit.SECONDS.sleep(3);
			Work before = store.work();
			TimeUnit.SECONDS.sleep(5);
			Work after = store.work();
			Sample sample = new Sample();
			sample.put(SOCKETS, Sockets.to(store) - sockets);
			if (before != null && after != null) {
				sample.put(Held.REQUESTS, (after.requests() - before.requests()) / 5.0);
			}
			Map<Integer, Long> released = releaseAll(held);
			long deadline = System.nanoTime() + LIMIT.toNanos();
			for (Thread waiter : waiters) {
				waiter.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
			}
			return addWakeUps(sample.put(SERVED, (double) acquired.size() / keys), released, acquired);
		}
	}

	private static Thread waiter(Mutex mutex, int number, Map<Integer, Long> acquired) {
		Thread thread = new Thread(() -> {
			try {
				mutex.lock();
				acquired.put(number, System.nanoTime());
				mutex.unlock();
			}
			catch (Exception ex) {
				// It is not served, which is what is counted.
				Thread.currentThread().interrupt();
			}
		}, "waiter-" + number);
		thread.setDaemon(true);
		thread.start();
		return thread;
	}

	private static Map<Integer, Long> releaseAll(List<Mutex> held) throws Exception {
		List<Integer> order = new ArrayList<>();
		for (int i = 0; i < held.size(); i++) {
			order.add(i);
		}
		Collections.shuffle(order, new Random(1));
		Map<Integer, Long> released = new ConcurrentHashMap<>();
		for (int i : order) {
			released.put(i, System.nanoTime());
			held.get(i).unlock();
			TimeUnit.MILLISECONDS.sleep(10);
		}
		return released;
	}

	private static Sample addWakeUps(Sample sample, Map<Integer, Long> released, Map<Integer, Long> acquired) {
		Histogram wakeUps = new Histogram(3);
		acquired.forEach((number, at) -> wakeUps.recordValue(Math.max(0, at - released.getOrDefault(number, at))));
		return sample.put(WAKE_UP, wakeUps.getValueAtPercentile(50) / 1e6)
			.put("wake-up p99 ms", wakeUps.getValueAtPercentile(99) / 1e6);
	}

}
