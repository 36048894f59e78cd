package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockConflictException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * What is said to Consul about a lock's entry: one transaction to acquire, one to hand
 * over, one to release. Each is bound to the entry as it was last seen, so that a copy
 * which arrives late changes nothing. Keeps no state.
 * <p>
 * All methods throw {@link ConsulUnavailableException} when it is unknown whether the
 * transaction was applied.
 */
final class LockProtocol {

	private static final int MAX_MOVES = 5;

	private final ConsulClient client;

	LockProtocol(ConsulClient client) {
		this.client = client;
	}

	/**
	 * Tries to acquire, with one request. Never a bare {@code lock}, which could slip
	 * past lock-delay.
	 * @param fence the session's fence
	 * @param fenceIndex its index, as known when the attempt began
	 * @param key the full key
	 * @param value what the entry shall hold
	 * @param seen the entry as last seen, free or held by this session; null if it was
	 * absent or never looked at
	 */
	Attempt tryLock(Fence fence, long fenceIndex, String key, String value, @Nullable KvEntry seen, Duration timeout) {
		String session = fence.session().id();
		List<KvOperation> operations = new ArrayList<>(4);
		operations.add(fence.check(fenceIndex));
		operations
			.add((seen != null) ? KvOperation.checkIndex(key, seen.modifyIndex()) : KvOperation.checkNotExists(key));
		if (seen != null && session.equals(seen.session())) {
			// Left by a hold of this session that ended without a trace. Locked again, it
			// would keep its index, which was a token before.
			operations.add(KvOperation.unlock(key, session, value, LockFlags.LOCK));
		}
		operations.add(KvOperation.lock(key, session, value, LockFlags.LOCK));
		TransactionOutcome outcome = this.client.transact(operations, timeout);
		if (outcome instanceof Committed committed) {
			return new Attempt.Acquired(lastIndex(committed));
		}
		RolledBack rolledBack = (RolledBack) outcome;
		if (rolledBack.failedFor(FailureReason.SESSION_INVALID)) {
			return new Attempt.SessionEnded();
		}
		if (rolledBack.reasonOf(0).isPresent()) {
			return new Attempt.FenceMoved();
		}
		if (rolledBack.reasonOf(1).isPresent() || !rolledBack.failedFor(FailureReason.IN_LOCK_DELAY)) {
			return new Attempt.Changed();
		}
		return new Attempt.InLockDelay();
	}

	/** The entry as it is now, whatever it is. */
	@Nullable KvEntry read(String key, Duration timeout) {
		return this.client.read(key, timeout).orElse(null);
	}

	/**
	 * The lock's entry as it is now.
	 * @throws LockConflictException if it is none of a lock
	 */
	@Nullable KvEntry look(String key, Duration timeout) {
		return checkIsLock(key, read(key, timeout));
	}

	/**
	 * Refuses an entry that is none of a lock, so that it is never overwritten.
	 */
	static @Nullable KvEntry checkIsLock(String key, @Nullable KvEntry entry) {
		if (entry != null && entry.flags() != LockFlags.LOCK) {
			throw new LockConflictException("The key '" + key + "' holds something that is no lock: its flags are "
					+ Long.toUnsignedString(entry.flags()) + " instead of " + LockFlags.LOCK
					+ ". It is not overwritten; lock another key, or delete that entry if it is of no use");
		}
		return entry;
	}

	/**
	 * Gives the lock up and takes it again in one write, which gives the next holder in
	 * this JVM a token of its own without the lock ever being free.
	 */
	Departure handOver(ConsulSession session, String key, long index, String nextValue, Duration timeout) {
		return depart(session, key, index, timeout,
				(current) -> List.of(KvOperation.checkIndex(key, current),
						KvOperation.unlock(key, session.id(), nextValue, LockFlags.LOCK),
						KvOperation.lock(key, session.id(), nextValue, LockFlags.LOCK)));
	}

	/**
	 * Gives the lock up.
	 */
	Departure release(ConsulSession session, String key, long index, String value, boolean delete, Duration timeout) {
		return depart(session, key, index, timeout, (current) -> List.of(KvOperation.checkIndex(key, current), delete
				? KvOperation.deleteCas(key, current) : KvOperation.unlock(key, session.id(), value, LockFlags.LOCK)));
	}

	/**
	 * A refusal is no proof of a loss: a plain write by somebody moves the entry's index,
	 * and the session holds it as before.
	 */
	private Departure depart(ConsulSession session, String key, long index, Duration timeout,
			OperationsAtIndex operations) {
		long current = index;
		for (int i = 0; i < MAX_MOVES; i++) {
			TransactionOutcome outcome = this.client.transact(operations.at(current), timeout);
			if (outcome instanceof Committed committed) {
				return new Departure.Done(committed.results().isEmpty() ? 0 : lastIndex(committed));
			}
			KvEntry entry = read(key, timeout);
			if (entry == null || !session.id().equals(entry.session())) {
				return new Departure.NotHeld(entry);
			}
			current = entry.modifyIndex();
		}
		throw new ConsulUnavailableException("Somebody writes to the key '" + key + "' again and again");
	}

	private static long lastIndex(Committed committed) {
		return Objects.requireNonNull(committed.results().get(committed.results().size() - 1)).modifyIndex();
	}

	private interface OperationsAtIndex {

		List<KvOperation> at(long index);

	}

	/**
	 * What came of an attempt to acquire.
	 */
	sealed interface Attempt {

		/**
		 * The lock is held, with this token.
		 */
		record Acquired(long token) implements Attempt {
		}

		/**
		 * The entry is not as it was last seen.
		 */
		record Changed() implements Attempt {
		}

		/**
		 * Free, but closed until lock-delay is over.
		 */
		record InLockDelay() implements Attempt {
		}

		/**
		 * Consul knows no such session.
		 */
		record SessionEnded() implements Attempt {
		}

		/**
		 * The fence is not at this index any more.
		 */
		record FenceMoved() implements Attempt {
		}

	}

	/**
	 * What came of giving a lock up.
	 */
	sealed interface Departure {

		/**
		 * Done; after a hand-over, the entry has this index.
		 */
		record Done(long index) implements Departure {
		}

		/**
		 * The session held it no longer; the entry as it is instead, null if it is gone.
		 */
		record NotHeld(@Nullable KvEntry entry) implements Departure {
		}

	}

}
