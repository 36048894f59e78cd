package io.github.consullock.consul;

import java.util.List;
import java.util.Optional;

/**
 * What came of a transaction.
 *
 * @since 0.1.0
 */
public sealed interface TransactionOutcome {

	/**
	 * All operations were applied.
	 *
	 * @param results the entries as the operations left them, without their values, or
	 * read them, in their order; a delete leaves none
	 */
	record Committed(List<KvEntry> results) implements TransactionOutcome {

		public Committed {
			results = List.copyOf(results);
		}

	}

	/**
	 * None was applied.
	 *
	 * @param failures every operation that failed; at least one
	 */
	record RolledBack(List<Failure> failures) implements TransactionOutcome {

		public RolledBack {
			failures = List.copyOf(failures);
		}

		/**
		 * Why an operation failed.
		 * @param operation its position in the transaction, from 0
		 * @return the reason, or empty if it did not fail
		 */
		public Optional<FailureReason> reasonOf(int operation) {
			return this.failures.stream()
				.filter((failure) -> failure.operation() == operation)
				.map(Failure::reason)
				.findFirst();
		}

		/**
		 * Whether any operation failed for this reason.
		 * @param reason the reason
		 * @return whether one did
		 */
		public boolean failedFor(FailureReason reason) {
			return this.failures.stream().anyMatch((failure) -> failure.reason() == reason);
		}

	}

	/**
	 * An operation that failed.
	 *
	 * @param operation its position in the transaction, from 0
	 * @param reason why
	 * @param what the server's words
	 */
	record Failure(int operation, FailureReason reason, String what) {

		/** Without ids of sessions. */
		@Override
		public String toString() {
			return this.reason + " (" + LogText.withoutIds(LogText.onOneLine(this.what)) + ")";
		}

	}

	/**
	 * Why an operation failed.
	 */
	enum FailureReason {

		/**
		 * A lock: another session holds the entry.
		 */
		HELD_BY_ANOTHER,

		/**
		 * A lock: the key is in lock-delay.
		 */
		IN_LOCK_DELAY,

		/**
		 * A lock: there is no such session.
		 */
		SESSION_INVALID,

		/**
		 * A check of index or session, a delete with an index: the entry has changed.
		 */
		CHANGED,

		/**
		 * A check that there is no entry: there is one.
		 */
		EXISTS,

		/**
		 * A check of index or session, a read of one entry: there is none.
		 */
		ABSENT,

		/**
		 * An unlock: the session does not hold the entry.
		 */
		NOT_HELD

	}

}
