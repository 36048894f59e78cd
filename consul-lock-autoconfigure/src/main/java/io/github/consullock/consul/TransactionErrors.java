package io.github.consullock.consul;

import io.github.consullock.consul.TransactionOutcome.FailureReason;
import org.jspecify.annotations.Nullable;

/**
 * Tells from Consul's words why an operation of a transaction failed; it has no codes.
 * The words quote the key, which may contain anything, so only their beginning and end
 * are looked at.
 */
final class TransactionErrors {

	private TransactionErrors() {
	}

	static @Nullable FailureReason reasonOf(String what) {
		if (what.startsWith("failed to lock key ")) {
			if (what.endsWith("lock is already held")) {
				return FailureReason.HELD_BY_ANOTHER;
			}
			return what.endsWith("due to lock delay") ? FailureReason.IN_LOCK_DELAY : null;
		}
		if (what.startsWith("invalid session ")) {
			return FailureReason.SESSION_INVALID;
		}
		if (what.startsWith("failed index check for key ") || what.startsWith("failed session check for key ")) {
			return FailureReason.CHANGED;
		}
		if (what.startsWith("failed to delete key ") && what.endsWith("index is stale")) {
			return FailureReason.CHANGED;
		}
		if ((what.startsWith("key ") || what.startsWith("failed to check index, key ")
				|| what.startsWith("failed to check session, key ")) && what.endsWith(" doesn't exist")) {
			return FailureReason.ABSENT;
		}
		if (what.startsWith("key ") && what.endsWith(" exists")) {
			return FailureReason.EXISTS;
		}
		return what.startsWith("failed to unlock key ") ? FailureReason.NOT_HELD : null;
	}

	static boolean isPermissionDenied(String what) {
		return what.contains("Permission denied") || what.contains("ACL not found");
	}

}
