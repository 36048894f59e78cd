package io.github.consullock.lock;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.github.consullock.LockException;
import org.jspecify.annotations.Nullable;

/**
 * The threads of this JVM that want a key, first come first served. Of each key one is
 * the owner: it alone talks to Consul about the key. A key that nobody owns is forgotten.
 */
final class LocalQueues {

	/**
	 * One who wants a key.
	 *
	 * @param turn completed with the turn by whoever owned the key before; cancelled by
	 * the waiter when it gives up. Whichever comes first, wins.
	 * @param request what it wants the key for
	 */
	record Waiter(CompletableFuture<Turn> turn, LockRequest request) {

		Waiter(LockRequest request) {
			this(new CompletableFuture<>(), request);
		}

	}

	/**
	 * Those behind the owner, and what keeps the owner from getting an answer of Consul.
	 */
	private static final class Line {

		/** Without room at first: most are empty for ever. */
		private final Deque<Waiter> waiters = new ArrayDeque<>(0);

		private volatile @Nullable LockException trouble;

		private volatile boolean settling;

	}

	/**
	 * A key is here while it has an owner. A line changes only inside the map's methods.
	 */
	private final ConcurrentMap<String, Line> keys = new ConcurrentHashMap<>();

	/** Queues up; a key without owner is owned at once. */
	void enter(String key, Waiter waiter) {
		boolean[] owner = new boolean[1];
		this.keys.compute(key, (k, line) -> {
			if (line == null) {
				owner[0] = true;
				return new Line();
			}
			line.waiters.add(waiter);
			return line;
		});
		if (owner[0]) {
			waiter.turn().complete(new Turn.Head(false));
		}
	}

	/**
	 * Takes back what {@link #enter} did.
	 * @return false if the turn has come already, and must be used or passed on
	 */
	boolean withdraw(String key, Waiter waiter) {
		boolean withdrawn = waiter.turn().cancel(false);
		if (withdrawn) {
			this.keys.computeIfPresent(key, (k, line) -> {
				line.waiters.remove(waiter);
				return line;
			});
		}
		return withdrawn;
	}

	/** The next in line; it may still give up. */
	@Nullable Waiter next(String key) {
		Waiter[] next = new Waiter[1];
		this.keys.computeIfPresent(key, (k, line) -> {
			next[0] = line.waiters.peek();
			return line;
		});
		return next[0];
	}

	/**
	 * Makes this waiter the owner in the present owner's place.
	 * @return false if it has given up; the caller then still is the owner
	 */
	boolean pass(String key, Waiter waiter, Turn turn) {
		this.keys.computeIfPresent(key, (k, line) -> {
			line.waiters.remove(waiter);
			return line;
		});
		return waiter.turn().complete(turn);
	}

	/** The owner is done: the next in line owns the key, if there is one. */
	void leave(String key, boolean yielding) {
		Waiter[] next = new Waiter[1];
		do {
			next[0] = null;
			this.keys.computeIfPresent(key, (k, line) -> {
				next[0] = line.waiters.poll();
				line.settling = false;
				return (next[0] != null) ? line : null;
			});
		}
		while (next[0] != null && !next[0].turn().complete(new Turn.Head(yielding)));
	}

	/**
	 * The owner gets no answer of Consul, or a refusal, or, with null, is served again.
	 * Who waits behind it in vain learns that this is the reason.
	 */
	void trouble(String key, @Nullable LockException trouble) {
		Line line = this.keys.get(key);
		if (line != null) {
			line.trouble = trouble;
		}
	}

	/** What keeps the owner of a key from an answer of Consul, if anything does. */
	@Nullable LockException trouble(String key) {
		Line line = this.keys.get(key);
		return (line != null) ? line.trouble : null;
	}

	/** The owner has left, but for what has still to be settled. */
	void settling(String key) {
		Line line = this.keys.get(key);
		if (line != null) {
			line.settling = true;
		}
	}

	boolean isSettling(String key) {
		Line line = this.keys.get(key);
		return line != null && line.settling;
	}

	/** How many keys are owned. */
	int size() {
		return this.keys.size();
	}

	/** How many wait for a key, its owner not counted. */
	int waiting(String key) {
		int[] count = new int[1];
		this.keys.computeIfPresent(key, (k, line) -> {
			count[0] = line.waiters.size();
			return line;
		});
		return count[0];
	}

	/** Ends every wait of those that do not own their key. */
	void cancelAll() {
		for (String key : this.keys.keySet()) {
			Waiter waiter;
			while ((waiter = next(key)) != null) {
				withdraw(key, waiter);
			}
		}
	}

}
