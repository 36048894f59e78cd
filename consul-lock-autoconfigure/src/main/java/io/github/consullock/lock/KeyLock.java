package io.github.consullock.lock;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;

/**
 * A lock on one key, or on several of which all are held or none. The entry of a key is
 * the one of Go's {@code api.Lock}: held by the holder's session, with its flags.
 *
 * @param keys the full keys, in sorted order
 */
record KeyLock(List<String> keys) implements LockKind {

	/** What is left for the last of several reads. */
	private static final Duration SHORTEST_READ = Duration.ofMillis(200);

	@Override
	public String description() {
		return (this.keys.size() == 1) ? "the lock '" + key() + "'" : "the lock of " + this.keys;
	}

	@Override
	public List<String> lines() {
		return this.keys;
	}

	@Override
	public boolean isExclusive() {
		return true;
	}

	@Override
	public boolean needsSessionApart() {
		return false;
	}

	@Override
	public boolean hasSeveralEntries() {
		return this.keys.size() > 1;
	}

	@Override
	public LockEntries unseen() {
		return new KeyEntries(this, Map.of());
	}

	@Override
	public LockEntries read(ConsulClient client, Duration timeout) {
		WaitBudget budget = WaitBudget.startingNow(timeout);
		Map<String, KvEntry> seen = new HashMap<>();
		for (String key : this.keys) {
			client.read(key, budget.isSpent() ? SHORTEST_READ : budget.remaining())
				.ifPresent((entry) -> seen.put(key, entry));
		}
		return new KeyEntries(this, seen);
	}
}
