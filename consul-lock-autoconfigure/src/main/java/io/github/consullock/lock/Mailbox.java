package io.github.consullock.lock;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.KeyWatches.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Holds the latest snapshot of a key for the one who waits for a certain one. Snapshots
 * may come from any thread.
 */
final class Mailbox {

	/** Guards the fields below; never held while the watch is told or somebody woken. */
	private final ReentrantLock lock = new ReentrantLock();

	/** How often it was opened or ended. */
	private int round;

	private @Nullable String key;

	private @Nullable Subscription subscription;

	private @Nullable KvSnapshot latest;

	private Predicate<KvSnapshot> wanted = (snapshot) -> false;

	private CompletableFuture<KvSnapshot> next = new CompletableFuture<>();

	/**
	 * Receives the snapshots of this key from now on, and of no other, until one has been
	 * waited for.
	 * @param known the entry as it was last seen, of which there is nothing to be told
	 */
	void open(KeyWatches watches, String watched, @Nullable KvEntry known) {
		if (!isOpenFor(watched)) {
			int round = nextRound(watched);
			this.subscription = watches.expect(watched, known, (snapshot) -> receive(round, snapshot));
		}
	}

	private boolean isOpenFor(String watched) {
		this.lock.lock();
		try {
			return watched.equals(this.key);
		}
		finally {
			this.lock.unlock();
		}
	}

	private int nextRound(@Nullable String watched) {
		if (this.subscription != null) {
			this.subscription.close();
			this.subscription = null;
		}
		this.lock.lock();
		try {
			this.latest = null;
			this.key = watched;
			return ++this.round;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * A subscription that was closed while it was being told still comes here.
	 * @return whether that was enough: who has got what it waited for seldom waits for
	 * the same key again
	 */
	private boolean receive(int ofRound, KvSnapshot snapshot) {
		CompletableFuture<KvSnapshot> waiting = null;
		this.lock.lock();
		try {
			if (ofRound != this.round) {
				return true;
			}
			this.latest = snapshot;
			if (!this.next.isDone() && this.wanted.test(snapshot)) {
				this.latest = null;
				this.key = null;
				waiting = this.next;
			}
		}
		finally {
			this.lock.unlock();
		}
		return waiting != null && waiting.complete(snapshot);
	}

	/**
	 * The next wanted snapshot, which may be there already. Each is given out once, or
	 * who is too late for what it shows would find it again at once.
	 */
	CompletableFuture<KvSnapshot> next(Predicate<KvSnapshot> condition) {
		this.lock.lock();
		try {
			this.wanted = condition;
			this.next = new CompletableFuture<>();
			KvSnapshot there = this.latest;
			if (there != null && condition.test(there)) {
				this.latest = null;
				this.next.complete(there);
			}
			return this.next;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The snapshot that was waited for, or null if none has come: none will then. */
	@Nullable KvSnapshot take(CompletableFuture<KvSnapshot> awaited) {
		return awaited.cancel(false) ? null : awaited.getNow(null);
	}

	/** The last snapshot that has come and was not waited for. */
	@Nullable KvSnapshot latest() {
		this.lock.lock();
		try {
			return this.latest;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Receives nothing more. */
	void end() {
		nextRound(null);
	}

}
