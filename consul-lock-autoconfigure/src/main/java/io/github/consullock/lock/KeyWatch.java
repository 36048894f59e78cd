package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.LogText;
import io.github.consullock.lock.KeyWatches.Subscriber;
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

	private final List<Subscriber> subscribers = new CopyOnWriteArrayList<>();

	private volatile @Nullable KvSnapshot last;

	private volatile @Nullable Future<?> query;

	/**
	 * Creates a watch.
	 * @param known the entry as it was last seen, or {@code null} if it was not
	 */
	KeyWatch(String key, @Nullable KvEntry known) {
		this.key = key;
		this.last = (known != null) ? new KvSnapshot(known.modifyIndex(), known) : null;
	}

	String key() {
		return this.key;
	}

	@Nullable KvSnapshot last() {
		return this.last;
	}

	/** Tells it what is known here, if it does not know just that. */
	void add(Subscriber subscriber, @Nullable KvEntry known) {
		this.telling.lock();
		try {
			this.subscribers.add(subscriber);
			KvSnapshot here = this.last;
			if (here != null && (known == null || isNews(known))) {
				tell(subscriber, here);
			}
		}
		finally {
			this.telling.unlock();
		}
	}

	void remove(Subscriber subscriber) {
		this.subscribers.remove(subscriber);
	}

	boolean isUnused() {
		return this.subscribers.isEmpty();
	}

	/** Whether anybody waits for the key to change. */
	boolean isWaitedFor() {
		return this.subscribers.stream().anyMatch(Subscriber::waits);
	}

	void tell(KvSnapshot snapshot) {
		this.telling.lock();
		try {
			this.last = snapshot;
			this.subscribers.forEach((subscriber) -> tell(subscriber, snapshot));
		}
		finally {
			this.telling.unlock();
		}
	}

	private void tell(Subscriber subscriber, KvSnapshot snapshot) {
		if (subscriber.isLast().test(snapshot)) {
			this.subscribers.remove(subscriber);
		}
	}

	/** Watches it by blocking queries, as long as that is wanted. */
	void query(ConsulClient client, Background background, BooleanSupplier wanted) {
		this.query = background.executeWaiting(() -> run(client, wanted));
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

	private void run(ConsulClient client, BooleanSupplier wanted) {
		// The index of a key that is there is that of its last write, and of one that has
		// gone a greater one: what has changed since is answered at once.
		KvSnapshot known = this.last;
		long index = (known != null) ? known.index() : 0;
		Backoff backoff = new Backoff();
		while (!Thread.currentThread().isInterrupted() && wanted.getAsBoolean()) {
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
				logger.debug("The key '{}' cannot be watched, trying again: {}", LogText.withoutIds(this.key),
						ex.getMessage());
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
