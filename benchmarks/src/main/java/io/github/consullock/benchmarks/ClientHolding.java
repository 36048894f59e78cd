package io.github.consullock.benchmarks;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * Locks that one thread of this JVM holds.
 *
 * @param client what holds them
 * @param mutexes the locks
 * @param sample what that takes
 */
record ClientHolding(Client client, List<Mutex> mutexes, Sample sample) implements Holding {

	static Holding of(Client client, int locks, String key) throws Exception {
		List<Mutex> mutexes = new ArrayList<>(locks);
		// Whatever a client makes once is there before it is looked at.
		Mutex first = client.mutex(key + "/first");
		first.lock();
		mutexes.add(first);
		long heap = heap();
		int threads = threads();
		for (int i = 0; i < locks; i++) {
			Mutex mutex = client.mutex(key + "/" + i);
			mutex.lock();
			mutexes.add(mutex);
		}
		Sample sample = new Sample().put(Held.LOCKS, locks)
			.put(Held.THREADS, threads() - threads)
			.put(Held.HEAP, (double) (heap() - heap) / locks);
		return new ClientHolding(client, mutexes, sample);
	}

	private static int threads() {
		return ManagementFactory.getThreadMXBean().getThreadCount();
	}

	/** Of this JVM, in use. */
	static long heap() {
		for (int i = 0; i < 3; i++) {
			System.gc();
		}
		return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
	}

	@Override
	public void close() throws Exception {
		for (Mutex mutex : this.mutexes) {
			mutex.unlock();
		}
		this.client.close();
	}

}
