package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watch of one key: its subscribers, and its last known state.
 */
final class KeyWatch {

	private static final Logger logger = LoggerFactory.getLogger(KeyWatch.class);

	/** The longest wait of a query; far below the limits of Consul and of proxies. */
	private static final Duration MAX_WAIT = Duration.ofSeconds(20);

	/** Bounds the requests to a server that answers without waiting. */
	private static final Duration SHORTEST_WAIT = Duration.ofMillis(100);

	private final String key;

	/** Held while subscribers are told, so that each gets the states in their order. */
	private final ReentrantLock telling = new ReentrantLock();

	private final List<Consumer<KvSnapshot>> subscribers = new CopyOnWriteArrayList<>();

	private volatile @Nullable KvSnapshot last;

	private volatile @Nullable Future<?> query;

	KeyWatch(String key) {
		this.key = key;
	}

	String key() {
		return this.key;
	}

	@Nullable KvSnapshot last() {
		return this.last;
	}

	void add(Consumer<KvSnapshot> subscriber) {
		this.telling.lock();
		try {
			this.subscribers.add(subscriber);
			KvSnapshot known = this.last;
			if (known != null) {
				subscriber.accept(known);
			}
		}
		finally {
			this.telling.unlock();
		}
	}

	/** Returns whether nobody is left. */
	boolean remove(Consumer<KvSnapshot> subscriber) {
		this.subscribers.remove(subscriber);
		return this.subscribers.isEmpty();
	}

	void tell(KvSnapshot snapshot) {
		this.telling.lock();
		try {
			this.last = snapshot;
			this.subscribers.forEach((subscriber) -> subscriber.accept(snapshot));
		}
		finally {
			this.telling.unlock();
		}
	}

	void query(ConsulClient client, Background background) {
		this.query = background.executeWaiting(() -> run(client));
	}

	boolean isQuery() {
		return this.query != null;
	}

	void stop() {
		Future<?> running = this.query;
		if (running != null) {
			running.cancel(true);
		}
	}

	private void run(ConsulClient client) {
		long index = 0;
		Backoff backoff = new Backoff();
		while (!Thread.currentThread().isInterrupted() && !this.subscribers.isEmpty()) {
			long sentAt = System.nanoTime();
			try {
				KvSnapshot snapshot = client.watch(this.key, index, MAX_WAIT);
				tell(snapshot);
				if (snapshot.index() <= index) {
					long early = SHORTEST_WAIT.toNanos() - (System.nanoTime() - sentAt);
					TimeUnit.NANOSECONDS.sleep(early);
				}
				// An index that goes backwards is of another history: start anew.
				index = (snapshot.index() < index) ? 0 : snapshot.index();
				backoff.reset();
			}
			catch (InterruptedException ex) {
				return;
			}
			catch (RuntimeException | Error ex) {
				logger.debug("The key '{}' cannot be watched, trying again: {}", this.key, ex.getMessage());
				index = 0;
				try {
					backoff.pause();
				}
				catch (InterruptedException interrupt) {
					return;
				}
			}
		}
	}

	/** Whether an entry is another than the one last told. */
	boolean isNews(@Nullable KvEntry entry) {
		KvSnapshot known = this.last;
		long before = (known != null && known.entry() != null) ? known.entry().modifyIndex() : 0;
		long now = (entry != null) ? entry.modifyIndex() : 0;
		return known == null || before != now;
	}

}
