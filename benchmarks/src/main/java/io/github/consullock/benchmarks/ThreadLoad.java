package io.github.consullock.benchmarks;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

import com.sun.management.OperatingSystemMXBean;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Threads of this JVM that use a contender's clients.
 */
final class ThreadLoad implements Load {

	private static final Duration LIMIT = Duration.ofMinutes(1);

	private final Shape shape;

	private final List<Client> clients = new ArrayList<>();

	private final List<Worker> workers = new ArrayList<>();

	private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

	private final AtomicInteger inside = new AtomicInteger();

	/** Of the threads and of the one that drives them. */
	private final Phaser gate = new Phaser(1);

	private final LongAdder completed = new LongAdder();

	private volatile boolean running = true;

	private volatile boolean paused;

	private volatile boolean measuring;

	private volatile @Nullable Release last;

	private long start;

	private long cpuAtStart;

	ThreadLoad(Contender contender, Shape shape, Store store, String key) throws Exception {
		this.shape = shape;
		for (int i = 0; i < shape.clients(); i++) {
			Client client = contender.join(store.address());
			this.clients.add(client);
			for (int j = 0; j < shape.threads(); j++) {
				int number = this.workers.size();
				this.workers.add(new Worker(client, number, shape.oneKey() ? key : key + "/" + number));
			}
		}
		this.workers.forEach(Thread::start);
	}

	@Override
	public void pause() throws TimeoutException, InterruptedException {
		this.paused = true;
		this.gate.awaitAdvanceInterruptibly(this.gate.arrive(), LIMIT.toSeconds(), TimeUnit.SECONDS);
	}

	@Override
	public void measure() {
		this.paused = false;
		this.measuring = true;
		this.cpuAtStart = cpu();
		this.start = System.nanoTime();
		this.gate.arriveAndDeregister();
	}

	@Override
	public Sample finish() throws Exception {
		// Those that wait for a lock still get it, which may take long and is not
		// counted.
		double rate = this.completed.sum() * 1e9 / (System.nanoTime() - this.start);
		this.running = false;
		for (Worker worker : this.workers) {
			worker.join(LIMIT.toMillis());
			if (worker.isAlive()) {
				throw new IllegalStateException("A thread did not get its lock within " + LIMIT);
			}
		}
		long cpu = cpu() - this.cpuAtStart;
		if (this.failure.get() instanceof Exception ex) {
			throw ex;
		}
		return sample(rate, cpu);
	}

	private Sample sample(double rate, long cpu) {
		Histogram pairs = new Histogram(3);
		Histogram handOvers = new Histogram(3);
		long[] perClient = new long[this.shape.clients()];
		for (Worker worker : this.workers) {
			pairs.add(worker.pairs);
			handOvers.add(worker.handOvers);
			perClient[worker.number / this.shape.threads()] += worker.pairs.getTotalCount();
		}
		long count = pairs.getTotalCount();
		Sample sample = new Sample().put(Sample.COUNT, count).put(Sample.PAIRS, rate).putMicros("pair", pairs);
		if (this.shape.oneKey()) {
			sample.putMicros("hand-over", handOvers);
		}
		if (perClient.length > 1) {
			Arrays.sort(perClient);
			sample.put(Sample.SHARES, (double) perClient[perClient.length - 1] / perClient[0]);
		}
		return sample.put(Sample.CPU, cpu / 1e3 / count);
	}

	@Override
	public void close() throws Exception {
		for (Client client : this.clients) {
			client.close();
		}
	}

	/** Of this process. */
	private static long cpu() {
		return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
	}

	private record Release(Worker by, long at) {
	}

	private final class Worker extends Thread {

		private final Mutex mutex;

		private final int number;

		/** Nanoseconds, of lock and unlock. */
		private final Histogram pairs = new Histogram(3);

		/** Nanoseconds, from another one's call of unlock to the return of lock. */
		private final Histogram handOvers = new Histogram(3);

		Worker(Client client, int number, String key) throws Exception {
			super("worker-" + number);
			this.mutex = client.mutex(key);
			this.number = number;
			setDaemon(true);
			ThreadLoad.this.gate.register();
		}

		@Override
		public void run() {
			try {
				while (ThreadLoad.this.running) {
					if (ThreadLoad.this.paused) {
						ThreadLoad.this.gate.arriveAndAwaitAdvance();
						ThreadLoad.this.gate.arriveAndAwaitAdvance();
					}
					lockAndUnlock();
				}
			}
			catch (Exception | Error ex) {
				ThreadLoad.this.failure.compareAndSet(null, ex);
				ThreadLoad.this.running = false;
			}
			finally {
				ThreadLoad.this.gate.arriveAndDeregister();
			}
		}

		private void lockAndUnlock() throws Exception {
			long asked = System.nanoTime();
			this.mutex.lock();
			long acquired = System.nanoTime();
			boolean measured = ThreadLoad.this.measuring;
			if (ThreadLoad.this.shape.oneKey()) {
				if (ThreadLoad.this.inside.getAndIncrement() != 0) {
					throw new IllegalStateException("Two threads hold the same lock");
				}
				Release before = ThreadLoad.this.last;
				if (measured && before != null && before.by() != this) {
					this.handOvers.recordValue(acquired - before.at());
				}
				ThreadLoad.this.inside.decrementAndGet();
				ThreadLoad.this.last = new Release(this, System.nanoTime());
			}
			this.mutex.unlock();
			if (measured) {
				this.pairs.recordValue(System.nanoTime() - asked);
				ThreadLoad.this.completed.increment();
			}
		}

	}

}
