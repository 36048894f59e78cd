package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.session.ConsulSession;

/**
 * A lock of a certain kind, by name: which entries in Consul it has, and how it is told
 * apart inside this JVM. Immutable.
 */
interface LockKind {

	/** What messages call it, in the middle of a sentence. */
	String description();

	/** The full keys of the lock, in sorted order. */
	List<String> keys();

	/** The full key of the lock; of several, the first. */
	default String key() {
		return keys().get(0);
	}

	/**
	 * The lines of this JVM to queue up in, in this order. Who is at the head of them all
	 * is the only one in this JVM that asks Consul for the lock.
	 */
	List<String> lines();

	/**
	 * Whether a holder stays at the head of its lines: nobody else of this JVM can hold
	 * the lock meanwhile.
	 */
	boolean isExclusive();

	/** Whether each hold needs a session that holds nothing else. */
	boolean needsSessionApart();

	/** Whether a lost lock may leave entries that its session still holds. */
	boolean hasSeveralEntries();

	/**
	 * Whether what is there decides what to write, so that trying before looking is
	 * mostly in vain.
	 */
	default boolean isReadFirst() {
		return false;
	}

	/** The same lock, for one that watches it instead of queueing up in Consul. */
	default LockKind unqueued() {
		return this;
	}

	/** Somebody who wants the lock. */
	default Claimant claimant(ConsulSession session, LockRequest request) {
		return Claimant.of(session, "", request);
	}

	/** The entries, taken to be absent until they are read. */
	LockEntries unseen();

	/** The entries as they are now, whatever they are. */
	LockEntries read(ConsulClient client, Duration timeout);

}
