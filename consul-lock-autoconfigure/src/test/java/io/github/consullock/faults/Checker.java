package io.github.consullock.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.consullock.faults.History.Held;
import io.github.consullock.faults.History.SessionEnd;
import io.github.consullock.faults.History.Write;

/**
 * Finds in a history what must not happen.
 *
 * @param lockDelay how long keys stay closed after the end of a session
 * @param tolerance how much later than its deadline a holder may look at the clock
 */
record Checker(Duration lockDelay, Duration tolerance) {

	/** Sentences, one for each thing found; none where all is as it should be. */
	List<String> violationsIn(History history) {
		List<String> violations = new ArrayList<>();
		Map<String, List<Held>> byKey = new HashMap<>();
		for (Held held : history.holds()) {
			byKey.computeIfAbsent(held.key(), (key) -> new ArrayList<>()).add(held);
		}
		byKey.forEach((key, holds) -> {
			holds.sort(Comparator.comparingLong(Held::since));
			checkOrder(key, holds, violations);
			checkDeadlines(key, holds, violations);
		});
		for (SessionEnd end : history.sessionEnds()) {
			checkLockDelay(end, byKey.getOrDefault(end.key(), List.of()), violations);
		}
		checkWrites(history.writes(), violations);
		return violations;
	}

	private static void checkOrder(String key, List<Held> holds, List<String> violations) {
		Held longest = null;
		long newest = Long.MIN_VALUE;
		for (Held held : holds) {
			if (longest != null && longest.until() > held.since()) {
				violations.add("'" + key + "' was held by " + longest + " and by " + held + " at once, for "
						+ millis(Math.min(longest.until(), held.until()) - held.since()));
			}
			if (held.token() <= newest) {
				violations.add("'" + key + "' was acquired by " + held + " after token " + newest);
			}
			newest = Math.max(newest, held.token());
			longest = (longest == null || held.until() > longest.until()) ? held : longest;
		}
	}

	private void checkDeadlines(String key, List<Held> holds, List<String> violations) {
		for (Held held : holds) {
			long latest = held.deadline() + this.tolerance.toNanos();
			if (held.deadline() != Long.MAX_VALUE && held.until() > latest) {
				violations.add("'" + key + "' was taken for held by " + held + " after its deadline"
						+ ((held.until() == Long.MAX_VALUE) ? ", to the end"
								: ", for " + millis(held.until() - held.deadline())));
			}
		}
	}

	private void checkLockDelay(SessionEnd end, List<Held> holds, List<String> violations) {
		for (Held held : holds) {
			long gap = held.since() - end.notBefore();
			if (held.token() > end.token() && gap < this.lockDelay.toNanos()) {
				violations.add("'" + end.key() + "' was acquired by " + held + ' ' + millis(gap)
						+ " after the session of token " + end.token() + " had ended at the earliest");
			}
		}
	}

	private static void checkWrites(List<Write> writes, List<String> violations) {
		Map<String, Long> newest = new HashMap<>();
		for (Write write : writes) {
			if (write.accepted()) {
				long before = newest.getOrDefault(write.key(), Long.MIN_VALUE);
				if (write.token() < before) {
					violations.add("What '" + write.key() + "' protects took a write with token " + write.token()
							+ " after one with " + before);
				}
				newest.put(write.key(), Math.max(before, write.token()));
			}
		}
	}

	private static String millis(long nanos) {
		return nanos / 1_000_000 + " ms";
	}

}
