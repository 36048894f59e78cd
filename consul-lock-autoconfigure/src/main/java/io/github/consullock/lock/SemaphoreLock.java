package io.github.consullock.lock;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * A lock for a limited number of holders, with the entries of Go's {@code api.Semaphore}:
 * one that names the limit and the holders' sessions, and one for each holder, held by
 * its session. Since holders are named by their sessions, each needs one of its own.
 *
 * @param key the full key, below which the entries are
 * @param limit how many may hold it
 * @param queue where those who wait for it from several JVMs have their entries, or
 * {@code null} if they do not queue up
 */
record SemaphoreLock(String key, int limit, @Nullable String queue) implements LockKind {

	private static final String STATE = "/.lock";

	/**
	 * Creates a semaphore.
	 * @param prefix the registry's
	 * @param key below it
	 */
	static SemaphoreLock of(String prefix, String key, int limit) {
		// Apart from that of the lock of this key.
		String queue = prefix + LockOptions.RESERVED_SEGMENT + "/queues/" + key + "/.permits/";
		return new SemaphoreLock(prefix + key, limit, queue);
	}

	@Override
	public SemaphoreLock unqueued() {
		return new SemaphoreLock(this.key, this.limit, null);
	}

	/** The same semaphore, with another limit. */
	SemaphoreLock withLimit(int other) {
		return new SemaphoreLock(this.key, other, this.queue);
	}

	@Nullable Contenders unknownContenders() {
		return (this.queue != null) ? Contenders.unknown(this.queue) : null;
	}

	@Override
	public Claimant claimant(ConsulSession session, LockRequest request) {
		// Nobody else has this session.
		return Claimant.of(session, session.id(), request);
	}

	@Override
	public String description() {
		return "the semaphore '" + this.key + "'";
	}

	@Override
	public List<String> keys() {
		return List.of(this.key);
	}

	/** Not the line of the lock that has this key, which is another one. */
	@Override
	public List<String> lines() {
		return List.of(prefix());
	}

	@Override
	public boolean isExclusive() {
		return false;
	}

	@Override
	public boolean needsSessionApart() {
		return true;
	}

	@Override
	public boolean hasSeveralEntries() {
		return true;
	}

	@Override
	public boolean isReadFirst() {
		return true;
	}

	/** The key of the entry that names the holders. */
	String stateKey() {
		return this.key + STATE;
	}

	/** The key of a holder's entry. */
	String holderKey(String session) {
		return prefix() + session;
	}

	private String prefix() {
		return this.key + "/";
	}

	@Override
	public LockEntries unseen() {
		return new SemaphoreEntries(this, null, Map.of(), Set.of(), Set.of(), unknownContenders());
	}

	@Override
	public SemaphoreEntries read(ConsulClient client, Duration timeout) {
		Map<String, KvEntry> below = new HashMap<>();
		client.list(prefix(), timeout).forEach((entry) -> below.put(entry.key(), entry));
		return SemaphoreEntries.read(this, below);
	}

}
