package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.LogText;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import io.github.consullock.session.ConsulSession;

/**
 * An entry of one session, whose index every acquire of that session checks. Moving the
 * index makes every acquire sent before, and every copy of it still on its way, fail:
 * that is how an acquire whose answer was lost is settled instead of guessed.
 */
final class Fence {

	private final ConsulClient client;

	private final ConsulSession session;

	private final Consumer<ConsulSession> verifier;

	private final String key;

	private final AtomicLong index = new AtomicLong();

	private final AtomicLong moves = new AtomicLong();

	/**
	 * Creates a fence that has no entry yet.
	 * @param verifier told of the session when Consul knows it no more
	 */
	Fence(ConsulClient client, ConsulSession session, String key, Consumer<ConsulSession> verifier) {
		this.client = client;
		this.session = session;
		this.verifier = verifier;
		this.key = key;
	}

	ConsulSession session() {
		return this.session;
	}

	String key() {
		return this.key;
	}

	/** The index as last written; 0 before the fence was first moved. */
	long index() {
		return this.index.get();
	}

	/**
	 * The check to put in front of an acquire.
	 */
	KvOperation check(long expected) {
		return KvOperation.checkIndex(this.key, expected);
	}

	/**
	 * Writes the entry, which moves its index; creates it where it is missing. A late
	 * copy of such a write moves the index once more, which does no harm: acquires are
	 * then refused, and move it again.
	 * @throws ConsulUnavailableException if it is unknown whether the index has moved, or
	 * if the session has ended
	 */
	void move(Duration timeout) {
		// A bare lock by the session that holds the entry, with a value of its own each
		// time.
		// Lock-delay, which a bare lock may slip past, is nothing to a key that only this
		// session ever locks.
		String value = "fence " + this.moves.incrementAndGet();
		TransactionOutcome outcome = this.client
			.transact(List.of(KvOperation.lock(this.key, this.session.id(), value, 0)), timeout);
		if (outcome instanceof Committed committed) {
			long moved = committed.results().get(0).modifyIndex();
			this.index.accumulateAndGet(moved, Math::max);
		}
		else if (outcome instanceof RolledBack rolledBack) {
			boolean ended = rolledBack.failedFor(FailureReason.SESSION_INVALID);
			if (ended) {
				this.verifier.accept(this.session);
			}
			throw new ConsulUnavailableException(ended ? "The session " + this.session + " has ended"
					: "The fence " + LogText.withoutIds(this.key) + " was refused: " + rolledBack.failures());
		}
	}

}
