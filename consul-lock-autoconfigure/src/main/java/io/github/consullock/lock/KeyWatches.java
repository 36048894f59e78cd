package io.github.consullock.lock;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * Tells of changes of keys: one watch per key, shared by all who want to know, ended when
 * nobody does. So many of them are blocking queries, one thread and one connection each;
 * the rest is polled in batches, sooner where somebody waits. Beside a read of each key
 * that has changed, that takes 100 requests a second at most for those who wait, and 10
 * for holders, however many they are.
 * <p>
 * One blocking query for all keys below a prefix would be answered with all of them at
 * each write to any, those of other JVMs and of this one included.
 */
final class KeyWatches implements AutoCloseable {

	/** Of one among all who wait for keys that are polled. */
	private static final Duration LOOK = Duration.ofMillis(20);

	private final ConsulClient client;

	private final Background background;

	/** One permit for each key that is watched by a blocking query. */
	private final Semaphore watchable;

	/** Polls the keys that somebody waits for. */
	private final BatchPoll waited;

	/** Polls the others. The end of a session is known of without it. */
	private final BatchPoll held;

	/** Guards the fields below and the subscribers of all watches. */
	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, KeyWatch> watches = new HashMap<>();

	KeyWatches(ConsulClient client, Background background, Semaphore watchable) {
		this.client = client;
		this.background = background;
		this.watchable = watchable;
		this.waited = new BatchPoll(client, background, this::endIfUnused, Duration.ofMillis(10),
				Duration.ofMillis(100));
		this.held = new BatchPoll(client, background, this::endIfUnused, Duration.ofMillis(100),
				Duration.ofMillis(500));
	}

	/**
	 * Tells the subscriber of the key's state soon, unless it knows it, and of each
	 * change from then on.
	 * @param known the entry as the subscriber has seen it, or {@code null} if it has not
	 * @param subscriber must neither block nor throw
	 * @return ends the subscription when closed
	 */
	Subscription subscribe(String key, @Nullable KvEntry known, Consumer<KvSnapshot> subscriber) {
		return subscribe(key, known, new Subscriber(false, (snapshot) -> {
			subscriber.accept(snapshot);
			return false;
		}));
	}

	/**
	 * The same for one who waits: it is told until a snapshot is the one that it has
	 * waited for. A blocking query ends with its answer then, and its connection serves
	 * the next; one that is ended later takes its connection along.
	 * @param wanted must neither block nor throw
	 */
	Subscription expect(String key, @Nullable KvEntry known, Predicate<KvSnapshot> wanted) {
		return subscribe(key, known, new Subscriber(true, wanted));
	}

	private Subscription subscribe(String key, @Nullable KvEntry known, Subscriber subscriber) {
		KeyWatch watch;
		this.lock.lock();
		try {
			watch = this.watches.get(key);
			if (watch != null) {
				watch.add(subscriber, known);
				poll(watch);
			}
			else {
				watch = new KeyWatch(key, known);
				watch.add(subscriber, known);
				start(watch);
			}
		}
		finally {
			this.lock.unlock();
		}
		KeyWatch subscribed = watch;
		return () -> unsubscribe(subscribed, subscriber);
	}

	private void start(KeyWatch watch) {
		this.watches.put(watch.key(), watch);
		if (this.watchable.tryAcquire()) {
			watch.query(this.client, this.background, () -> isWanted(watch));
		}
		else {
			poll(watch);
		}
	}

	/** As often as its subscribers need, if it is polled. */
	private void poll(KeyWatch watch) {
		if (!watch.isQuery()) {
			boolean isWaitedFor = watch.isWaitedFor();
			(isWaitedFor ? this.held : this.waited).remove(watch);
			(isWaitedFor ? this.waited : this.held).add(watch);
		}
	}

	private void unsubscribe(KeyWatch watch, Subscriber subscriber) {
		this.lock.lock();
		try {
			watch.remove(subscriber);
			if (isWanted(watch)) {
				poll(watch);
			}
			else {
				watch.stop();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Whether anybody still wants to know of a key; if not, its watch ends. */
	private boolean isWanted(KeyWatch watch) {
		this.lock.lock();
		try {
			endIfUnused(watch);
			return this.watches.get(watch.key()) == watch;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void endIfUnused(KeyWatch watch) {
		this.lock.lock();
		try {
			if (watch.isUnused()) {
				end(watch);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void end(KeyWatch watch) {
		if (this.watches.remove(watch.key(), watch)) {
			if (watch.isQuery()) {
				this.watchable.release();
			}
			this.waited.remove(watch);
			this.held.remove(watch);
		}
	}

	/**
	 * How long one that waits should leave between looks of its own, so that however many
	 * wait for keys that are polled, they take 50 looks a second at most.
	 * @param atLeast how long it should where they are few
	 */
	Duration betweenLooks(Duration atLeast) {
		Duration fair = LOOK.multipliedBy(this.waited.size());
		return (fair.compareTo(atLeast) > 0) ? fair : atLeast;
	}

	/** How many keys are watched. */
	int size() {
		this.lock.lock();
		try {
			return this.watches.size();
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public void close() {
		this.lock.lock();
		try {
			for (KeyWatch watch : List.copyOf(this.watches.values())) {
				end(watch);
				watch.stop();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Somebody who wants to know of a key.
	 *
	 * @param waits whether somebody waits for the key to change
	 * @param isLast takes a snapshot, and says whether it wants no more
	 */
	record Subscriber(boolean waits, Predicate<KvSnapshot> isLast) {
	}

	/**
	 * Somebody's interest in a key.
	 */
	@FunctionalInterface
	interface Subscription extends AutoCloseable {

		@Override
		void close();

	}

}
