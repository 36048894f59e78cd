package io.github.consullock.consul;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.LongSupplier;

import io.github.consullock.SessionBehavior;
import org.jspecify.annotations.Nullable;

/**
 * The state of an in-memory Consul: entries, sessions, lock-delays, and the index that
 * counts its changes. Its users take turns; it has no lock of its own.
 */
final class InMemoryStore {

	private static final Duration MAX_LOCK_DELAY = Duration.ofSeconds(60);

	private final LongSupplier nanos;

	private final NavigableMap<String, Stored> entries = new TreeMap<>();

	private final Map<String, Session> sessions = new HashMap<>();

	/**
	 * Until when a key is closed, by the clock.
	 */
	private final Map<String, Long> lockDelays = new HashMap<>();

	private long index = 1;

	private long lastDeletion = 1;

	private long lastSessionEnd = 1;

	InMemoryStore(LongSupplier nanos) {
		this.nanos = nanos;
	}

	/**
	 * An entry with its lock-index, which a plain write resets: without that such a write
	 * would seem to change nothing where it repeats what is there.
	 */
	record Stored(KvEntry entry, long lockIndex) {
	}

	/**
	 * A session.
	 */
	private record Session(SessionInfo info, long expiry, long index) {

		/**
		 * The server tells a longer one as it was given, but does not keep to it.
		 */
		Duration effectiveLockDelay() {
			Duration lockDelay = this.info.lockDelay();
			return (lockDelay.compareTo(MAX_LOCK_DELAY) < 0) ? lockDelay : MAX_LOCK_DELAY;
		}

		Session renewed(long now) {
			// As the server does, which grants a session twice its TTL.
			return new Session(this.info, now + 2 * this.info.ttl().toNanos(), this.index);
		}

	}

	String createSession(SessionRequest request) {
		String id = UUID.randomUUID().toString();
		SessionInfo info = new SessionInfo(id, request.name(), request.ttl(), request.lockDelay(), request.behavior());
		Session session = new Session(info, 0, ++this.index);
		this.sessions.put(id, session.renewed(this.nanos.getAsLong()));
		return id;
	}

	RenewalOutcome renewSession(String id) {
		Session session = this.sessions.computeIfPresent(id, (key, old) -> old.renewed(this.nanos.getAsLong()));
		return (session != null) ? new RenewalOutcome.Renewed(session.info().ttl(), session.info().lockDelay())
				: new RenewalOutcome.Ended();
	}

	/**
	 * Ends a session, if it is there: frees or deletes its keys, and closes them for
	 * lock-delay.
	 * @return whether it was there
	 */
	boolean endSession(String id) {
		Session session = this.sessions.remove(id);
		if (session == null) {
			return false;
		}
		long now = this.nanos.getAsLong();
		this.lockDelays.values().removeIf((until) -> until - now <= 0);
		this.lastSessionEnd = ++this.index;
		for (Stored held : heldBy(id)) {
			KvEntry entry = held.entry();
			if (!session.info().lockDelay().isZero()) {
				this.lockDelays.put(entry.key(), now + session.effectiveLockDelay().toNanos());
			}
			if (session.info().behavior() == SessionBehavior.DELETE) {
				put(entry.key(), null);
			}
			else {
				put(entry.key(), new Stored(
						new KvEntry(entry.key(), entry.value(), entry.flags(), null, entry.createIndex(), this.index),
						held.lockIndex()));
			}
		}
		return true;
	}

	private List<Stored> heldBy(String session) {
		return this.entries.values().stream().filter((stored) -> session.equals(stored.entry().session())).toList();
	}

	/**
	 * Ends the sessions whose time is up.
	 * @return whether there were any
	 */
	boolean endExpiredSessions() {
		long now = this.nanos.getAsLong();
		List<String> expired = new ArrayList<>();
		this.sessions.forEach((id, session) -> {
			if (!session.info().ttl().isZero() && session.expiry() - now <= 0) {
				expired.add(id);
			}
		});
		expired.forEach(this::endSession);
		return !expired.isEmpty();
	}

	/**
	 * How long it is until the next session's time is up.
	 * @return the time in nanoseconds; {@link Long#MAX_VALUE} if none has a TTL
	 */
	long untilNextExpiry() {
		long now = this.nanos.getAsLong();
		return this.sessions.values()
			.stream()
			.filter((session) -> !session.info().ttl().isZero())
			.mapToLong((session) -> session.expiry() - now)
			.min()
			.orElse(Long.MAX_VALUE);
	}

	boolean hasSession(String id) {
		return this.sessions.containsKey(id);
	}

	Optional<SessionInfo> sessionInfo(String id) {
		return Optional.ofNullable(this.sessions.get(id)).map(Session::info);
	}

	/**
	 * What a watch of a session answers.
	 */
	SessionSnapshot session(String id) {
		Session session = this.sessions.get(id);
		return new SessionSnapshot((session != null) ? session.index() : this.index, session != null);
	}

	/**
	 * Whether a watch of a session has something new since its last answer.
	 */
	boolean isSessionNews(String id, long since) {
		Session session = this.sessions.get(id);
		return (session != null) ? session.index() > since : this.lastSessionEnd > since;
	}

	/**
	 * What a watch of an entry answers.
	 */
	KvSnapshot entry(String key) {
		Stored stored = get(key);
		return (stored != null) ? new KvSnapshot(stored.entry().modifyIndex(), stored.entry())
				: new KvSnapshot(this.index, null);
	}

	/**
	 * Whether a watch of an entry has something new since its last answer. Which key a
	 * deletion was of is not kept, so that one may wake the watch of another key that is
	 * not there.
	 */
	boolean isEntryNews(String key, long since) {
		Stored stored = get(key);
		return (stored != null) ? stored.entry().modifyIndex() > since : this.lastDeletion > since;
	}

	/**
	 * Whether a watch of all that is below a prefix has something new. A deletion
	 * elsewhere may wake it, too.
	 */
	boolean isTreeNews(String prefix, long since) {
		return this.lastDeletion > since || list(prefix).stream().anyMatch((entry) -> entry.modifyIndex() > since);
	}

	List<KvEntry> list(String prefix) {
		return this.entries.tailMap(prefix, true)
			.values()
			.stream()
			.map(Stored::entry)
			.takeWhile((entry) -> entry.key().startsWith(prefix))
			.toList();
	}

	@Nullable Stored get(String key) {
		return this.entries.get(key);
	}

	boolean isInLockDelay(String key) {
		Long until = this.lockDelays.get(key);
		return until != null && until - this.nanos.getAsLong() > 0;
	}

	/**
	 * The index that the next change will have.
	 */
	long nextIndex() {
		return this.index + 1;
	}

	/**
	 * Makes the changes of a transaction, which have been given that index.
	 */
	void apply(Map<String, @Nullable Stored> changes) {
		if (!changes.isEmpty()) {
			this.index++;
			changes.forEach(this::put);
		}
	}

	private void put(String key, @Nullable Stored stored) {
		if (stored != null) {
			this.entries.put(key, stored);
		}
		else if (this.entries.remove(key) != null) {
			this.lastDeletion = this.index;
		}
	}

}
