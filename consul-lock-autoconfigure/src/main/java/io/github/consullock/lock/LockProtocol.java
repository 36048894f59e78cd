package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvOperation.Verb;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import io.github.consullock.consul.TransactionTooLargeException;
import io.github.consullock.lock.LockEntries.Applied;
import io.github.consullock.lock.LockEntries.Departing;
import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

/**
 * How a claimant and Consul talk about a lock: one transaction to acquire, one to hand
 * over, one to release. What is in them, the kind of lock says. Keeps no state.
 * <p>
 * All methods throw {@link ConsulUnavailableException} when it is unknown whether the
 * transaction was applied.
 */
final class LockProtocol {

	private static final int MAX_MOVES = 5;

	/** How long one that had the lock before may take to queue up again. */
	static final Duration RETURN = Duration.ofMillis(20);

	private final ConsulClient client;

	private final IndexClock clock = new IndexClock();

	LockProtocol(ConsulClient client) {
		this.client = client;
	}

	/** The entries as they are now; of those who wait nothing. */
	LockEntries read(LockKind kind, Duration timeout) {
		return kind.read(this.client, timeout);
	}

	/** The same entries, with those of who waits as they are now. */
	LockEntries readWaiting(LockEntries known, Duration timeout) {
		return known.withWaiting(this.client, timeout);
	}

	/**
	 * The same, but gives one that comes after a hand-over the time to queue up: a
	 * release that just misses it costs two writes more.
	 * @param since the index at which the lock was handed over
	 */
	LockEntries awaitWaiting(LockEntries known, long since, Duration timeout) {
		// Others may have come before that who were not seen yet.
		LockEntries now = readWaiting(known, timeout);
		return now.hasEmptyQueue() ? now.awaitWaiting(this.client, since, RETURN) : now;
	}

	/** The entries as they are now, with those of who waits. */
	LockEntries readAgain(LockEntries before, Duration timeout) {
		return before.again(this.client, timeout);
	}

	/**
	 * Tries to acquire, or to come closer to it, with one request.
	 * @param fence the session's fence
	 * @param fenceIndex its index, as known when the attempt began
	 */
	Attempt attempt(Fence fence, long fenceIndex, LockEntries.Step step, Duration timeout) {
		List<KvOperation> operations = new ArrayList<>(step.operations().size() + 1);
		operations.add(fence.check(fenceIndex));
		operations.addAll(step.operations());
		TransactionOutcome outcome = transact(operations, timeout);
		if (outcome instanceof Committed committed) {
			Applied applied = Applied.of(committed.results());
			LockEntries after = step.after().apply(applied);
			return step.acquires() ? new Attempt.Acquired(applied.index(), after)
					: new Attempt.Closer(applied.index(), after);
		}
		RolledBack rolledBack = (RolledBack) outcome;
		if (rolledBack.failedFor(FailureReason.SESSION_INVALID)) {
			return new Attempt.SessionEnded();
		}
		if (rolledBack.reasonOf(0).isPresent()) {
			return new Attempt.FenceMoved();
		}
		List<String> delayed = rolledBack.failures()
			.stream()
			.filter((failure) -> failure.reason() == FailureReason.IN_LOCK_DELAY)
			.map((failure) -> operations.get(failure.operation()).key())
			.toList();
		if (delayed.size() < rolledBack.failures().size()) {
			return new Attempt.Changed();
		}
		return new Attempt.InLockDelay(delayed);
	}

	private TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		try {
			long sentAt = System.nanoTime();
			TransactionOutcome outcome = this.client.transact(operations, timeout);
			if (outcome instanceof Committed committed) {
				long index = Applied.of(committed.results()).index();
				if (isWrite(operations, index)) {
					this.clock.wrote(index, sentAt);
				}
			}
			return outcome;
		}
		catch (TransactionTooLargeException ex) {
			int keys = (ex.maxOperations() > 0) ? (ex.maxOperations() - 1) / 2 : 31;
			throw new ConsulRefusedException(
					"So many keys at once are too many for this version of Consul, which takes " + keys
							+ " (31 before Consul 1.14, " + LockOptions.MAX_KEYS + " since). Lock fewer keys, or one"
							+ " that stands for them all",
					ex);
		}
	}

	/** Not that of an entry that was but checked, or written as it was: that is older. */
	private static boolean isWrite(List<KvOperation> operations, long index) {
		boolean locks = false;
		for (KvOperation operation : operations) {
			if (operation.index() >= index) {
				return false;
			}
			locks |= operation.verb() == Verb.LOCK;
		}
		return locks;
	}

	/**
	 * Gives the lock up and takes it again in one write, which gives the next holder in
	 * this JVM a token of its own without the lock ever being free.
	 * @return what came of it, or {@code null} if this kind cannot be handed over
	 */
	@Nullable Departure handOver(LockKind kind, LockEntries known, Claimant from, Claimant to, Duration timeout) {
		try {
			return tryToHandOver(kind, known, from, to, timeout);
		}
		catch (ConsulRefusedException ex) {
			LockEntries apart = readApart(kind, timeout);
			return (apart.token(from) == 0) ? new Departure.NotHeld(apart)
					: tryToHandOver(kind, apart, from, to, timeout);
		}
	}

	/** Those who wait may be where this holder has no permission. */
	private LockEntries readApart(LockKind kind, Duration timeout) {
		return read(kind.unqueued(), timeout);
	}

	private @Nullable Departure tryToHandOver(LockKind kind, LockEntries known, Claimant from, Claimant to,
			Duration timeout) {
		LockEntries.Step step = known.handOver(from, to);
		LockEntries current = known;
		for (int i = 0; i < MAX_MOVES && step != null; i++) {
			if (transact(step.operations(), timeout) instanceof Committed committed) {
				Applied applied = Applied.of(committed.results());
				return new Departure.Done(applied.index(), step.after().apply(applied), false);
			}
			current = readAgain(current, timeout);
			if (current.token(from) == 0) {
				return new Departure.NotHeld(current);
			}
			step = current.handOver(from, to);
		}
		if (step != null) {
			throw changing(kind);
		}
		return null;
	}

	/**
	 * Gives the lock up, to the first who waits in Consul, if somebody does. A refusal is
	 * no proof of a loss: a plain write by somebody moves an entry's index, and the
	 * session holds it as before.
	 * @param open whether it is to be free for everybody, whoever waits
	 */
	Departure release(LockKind kind, LockEntries known, Claimant claimant, boolean open, Duration timeout) {
		OperationsOn departure = (current) -> current.depart(claimant, this.clock, open);
		try {
			return whileHeld(kind, known, claimant, timeout, departure);
		}
		catch (ConsulRefusedException ex) {
			LockEntries apart = readApart(kind, timeout);
			return (apart.token(claimant) == 0) ? new Departure.NotHeld(apart)
					: whileHeld(kind, apart, claimant, timeout, departure);
		}
	}

	/**
	 * Writes an entry of somebody else's, if the claimant still holds the lock.
	 */
	Departure put(LockKind kind, LockEntries known, Claimant claimant, KvOperation put, Duration timeout) {
		return whileHeld(kind, known, claimant, timeout, (current) -> {
			List<KvOperation> operations = new ArrayList<>(current.guard(claimant));
			operations.add(put);
			return Departing.leaving(operations, current);
		});
	}

	private Departure whileHeld(LockKind kind, LockEntries known, Claimant claimant, Duration timeout,
			OperationsOn operations) {
		LockEntries current = known;
		WaitBudget budget = WaitBudget.startingNow(timeout);
		// Where several may hold a lock, those who come and go all write to one entry.
		for (int i = 0; i < MAX_MOVES || !budget.isSpent(); i++) {
			Departing departing = operations.on(current);
			if (transact(departing.operations(), timeout) instanceof Committed committed) {
				long index = Applied.of(committed.results()).index();
				return new Departure.Done(index, departing.after().apply(index), departing.handsOver());
			}
			current = readAgain(current, timeout);
			if (current.token(claimant) == 0) {
				return new Departure.NotHeld(current);
			}
		}
		throw changing(kind);
	}

	/**
	 * Takes away whatever the claimant has there.
	 * @param before the entries as they were last seen: who was seen to wait is not given
	 * up for a refusal
	 */
	void free(LockKind kind, LockEntries before, Claimant claimant, Duration timeout) {
		LockEntries current = before;
		WaitBudget budget = WaitBudget.startingNow(timeout);
		for (int i = 0; i < MAX_MOVES || !budget.isSpent(); i++) {
			current = readAgain(current, timeout);
			List<KvOperation> operations = current.leave(claimant);
			if (operations.isEmpty()) {
				return;
			}
			// Once more after a success: of two that leave at once, one is the last.
			if (transact(operations, timeout) instanceof RolledBack rolledBack
					&& (rolledBack.failedFor(FailureReason.SESSION_INVALID)
							|| rolledBack.failedFor(FailureReason.IN_LOCK_DELAY))) {
				// That does not pass by itself at once.
				throw new ConsulUnavailableException(
						"What is left of " + kind.keys() + " stays for now: " + rolledBack.failures());
			}
		}
		throw changing(kind);
	}

	/**
	 * Removes the entries of a lock that nobody holds.
	 * @throws LockInUseException if somebody does
	 */
	void destroy(LockKind kind, Duration timeout) {
		for (int i = 0; i < MAX_MOVES; i++) {
			LockEntries now = read(kind, timeout);
			List<KvEntry> holders = now.holders();
			if (!holders.isEmpty()) {
				throw new LockInUseException(StringUtils.capitalize(kind.description())
						+ " cannot be destroyed: it is held by " + HolderDescription.of(holders.get(0)));
			}
			List<KvOperation> operations = now.destroy();
			if (operations.isEmpty() || this.client.transact(operations, timeout) instanceof Committed) {
				return;
			}
		}
		throw new LockInUseException(
				StringUtils.capitalize(kind.description()) + " cannot be destroyed: it is taken again and again");
	}

	private static ConsulUnavailableException changing(LockKind kind) {
		return new ConsulUnavailableException("Somebody writes to the entries of " + kind.keys() + " again and again");
	}

	private interface OperationsOn {

		Departing on(LockEntries current);

	}

	/**
	 * What came of an attempt to acquire.
	 */
	sealed interface Attempt {

		/**
		 * The lock is held, with this token.
		 */
		record Acquired(long token, LockEntries entries) implements Attempt {
		}

		/**
		 * The step was made, as the write of this index, and more are to come.
		 */
		record Closer(long index, LockEntries entries) implements Attempt {
		}

		/**
		 * An entry is not as it was last seen.
		 */
		record Changed() implements Attempt {
		}

		/**
		 * These keys are free, but closed until lock-delay is over.
		 */
		record InLockDelay(List<String> keys) implements Attempt {
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
	 * What came of giving a lock up, or of a write under it.
	 */
	sealed interface Departure {

		/**
		 * Done, as the write of this index; after a hand-over, the entries are these.
		 *
		 * @param handedOver whether somebody who waited in Consul has it now
		 */
		record Done(long index, LockEntries entries, boolean handedOver) implements Departure {
		}

		/**
		 * The claimant held it no longer; the entries as they are instead.
		 */
		record NotHeld(LockEntries entries) implements Departure {
		}

	}

}
