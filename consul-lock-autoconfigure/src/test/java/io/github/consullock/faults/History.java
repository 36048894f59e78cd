package io.github.consullock.faults;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.github.consullock.LockHandle;

/**
 * What holders, an observer of their sessions and a fenced store say that happened, by
 * the monotonic clock, which all processes of a machine share on Linux. Safe for use by
 * several threads at once.
 */
final class History {

	private final List<Held> holds = new CopyOnWriteArrayList<>();

	private final List<SessionEnd> sessionEnds = new CopyOnWriteArrayList<>();

	private final List<Write> writes = new CopyOnWriteArrayList<>();

	/** A holder says that it has the lock now. */
	Held acquired(String node, LockHandle handle) {
		return acquired(node, handle.key(), handle.fencingToken(), System.nanoTime());
	}

	Held acquired(String node, String key, long token, long at) {
		Held held = new Held(node, key, token, at);
		this.holds.add(held);
		return held;
	}

	/**
	 * The session that held a key has ended.
	 * @param notBefore a moment at which it had not yet
	 */
	void sessionEnded(String key, long token, long notBefore) {
		this.sessionEnds.add(new SessionEnd(key, token, notBefore));
	}

	/** Somebody wrote to what the lock protects. */
	void wrote(String key, long token, boolean accepted) {
		this.writes.add(new Write(key, token, accepted));
	}

	List<Held> holds() {
		return new ArrayList<>(this.holds);
	}

	List<SessionEnd> sessionEnds() {
		return new ArrayList<>(this.sessionEnds);
	}

	List<Write> writes() {
		return new ArrayList<>(this.writes);
	}

	/** A hold, from when acquiring returned until its holder no longer counted on it. */
	static final class Held {

		private final String node;

		private final String key;

		private final long token;

		private final long since;

		private volatile long until = Long.MAX_VALUE;

		private volatile long deadline = Long.MAX_VALUE;

		private Held(String node, String key, long token, long since) {
			this.node = node;
			this.key = key;
			this.token = token;
			this.since = since;
		}

		/** It is about to be released, or its holder was just told that it is lost. */
		void ends() {
			endsAt(System.nanoTime());
		}

		void endsAt(long time) {
			this.until = Math.min(this.until, time);
		}

		/** The moment by which its holder had to be told, whatever else happened. */
		void hasDeadline(long time) {
			this.deadline = time;
		}

		String key() {
			return this.key;
		}

		long token() {
			return this.token;
		}

		long since() {
			return this.since;
		}

		long until() {
			return this.until;
		}

		long deadline() {
			return this.deadline;
		}

		@Override
		public String toString() {
			return this.node + " with token " + this.token;
		}

	}

	/**
	 * The end of a session that held a key.
	 *
	 * @param key the key
	 * @param token that of the hold
	 * @param notBefore a moment at which the session had not yet ended
	 */
	record SessionEnd(String key, long token, long notBefore) {
	}

	/**
	 * A write to what a lock protects, in the order in which it arrived.
	 *
	 * @param key the lock's key
	 * @param token that of the writer
	 * @param accepted whether it was accepted
	 */
	record Write(String key, long token, boolean accepted) {
	}

}
