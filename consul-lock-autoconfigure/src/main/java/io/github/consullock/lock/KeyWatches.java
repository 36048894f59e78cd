package io.github.consullock.lock;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvSnapshot;

/**
 * Tells of changes of keys: one watch per key, shared by all who want to know, ended when
 * nobody does. So many of them are blocking queries, one thread and one connection each;
 * the rest is polled in batches.
 */
final class KeyWatches implements AutoCloseable {

	private final ConsulClient client;

	private final Background background;

	/** One permit for each key that is watched by a blocking query. */
	private final Semaphore watchable;

	private final BatchPoll poll;

	/** Guards the fields below and the subscribers of all watches. */
	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, KeyWatch> watches = new HashMap<>();

	KeyWatches(ConsulClient client, Background background, Semaphore watchable) {
		this.client = client;
		this.background = background;
		this.watchable = watchable;
		this.poll = new BatchPoll(client, background);
	}

	/**
	 * Tells the subscriber of the key's state soon, and of each change from then on.
	 * @param subscriber must neither block nor throw
	 * @return ends the subscription when closed
	 */
	Subscription subscribe(String key, Consumer<KvSnapshot> subscriber) {
		KeyWatch watch;
		this.lock.lock();
		try {
			watch = this.watches.get(key);
			if (watch != null) {
				watch.add(subscriber);
			}
			else {
				watch = new KeyWatch(key);
				watch.add(subscriber);
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
			watch.query(this.client, this.background);
		}
		else {
			this.poll.add(watch);
		}
	}

	private void unsubscribe(KeyWatch watch, Consumer<KvSnapshot> subscriber) {
		this.lock.lock();
		try {
			if (watch.remove(subscriber) && this.watches.remove(watch.key(), watch)) {
				if (watch.isQuery()) {
					watch.stop();
					this.watchable.release();
				}
				else {
					this.poll.remove(watch);
				}
			}
		}
		finally {
			this.lock.unlock();
		}
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
			for (KeyWatch watch : this.watches.values()) {
				if (watch.isQuery()) {
					watch.stop();
					this.watchable.release();
				}
			}
			this.watches.clear();
		}
		finally {
			this.lock.unlock();
		}
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
