package io.github.consullock.lock;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * A lock on one key, or on several of which all are held or none. The entry of a key is
 * the one of Go's {@code api.Lock}: held by the holder's session, with its flags.
 *
 * @param keys the full keys, in sorted order
 * @param queue where those who wait for it from several JVMs have their entries, or
 * {@code null} if they do not queue up
 */
record KeyLock(List<String> keys, @Nullable String queue) implements LockKind {

	/**
	 * Creates a lock. Who wants several keys at once waits for one after the other, and
	 * queues up for none.
	 * @param prefix the registry's
	 * @param keys below it, in sorted order
	 */
	static KeyLock of(String prefix, List<String> keys) {
		String queue = (keys.size() > 1) ? null
				// Apart from those of 'key/more'.
				: prefix + LockOptions.RESERVED_SEGMENT + "/queues/" + keys.get(0) + "/.contenders/";
		return new KeyLock(keys.stream().map((key) -> prefix + key).collect(Collectors.toUnmodifiableList()), queue);
	}

	@Override
	public KeyLock unqueued() {
		return new KeyLock(this.keys, null);
	}

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
		return new KeyEntries(this, Map.of(), unknownContenders());
	}

	@Override
	public KeyEntries read(ConsulClient client, Duration timeout) {
		WaitBudget budget = WaitBudget.startingNow(timeout);
		Map<String, KvEntry> seen = new HashMap<>();
		for (String key : this.keys) {
			client.read(key, budget.restOfReads()).ifPresent((entry) -> seen.put(key, entry));
		}
		return new KeyEntries(this, seen, unknownContenders());
	}

	private @Nullable Contenders unknownContenders() {
		return (this.queue != null) ? Contenders.unknown(this.queue) : null;
	}

	@Override
	public Claimant claimant(ConsulSession session, LockRequest request) {
		// Who does not queue up is not taken for another that has the same session.
		return Claimant.of(session, (this.queue != null) ? session.id() : session.id() + "-apart", request);
	}

}
