package io.github.consullock.consul;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

import io.github.consullock.consul.InMemoryStore.Stored;
import io.github.consullock.consul.KvOperation.Verb;
import io.github.consullock.consul.TransactionOutcome.Failure;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import org.jspecify.annotations.Nullable;

/**
 * A transaction on an {@link InMemoryStore}: each operation sees what those before it
 * did, and every one that fails is told of, in Consul's words.
 */
final class InMemoryTransaction {

	private final InMemoryStore store;

	private final long index;

	/**
	 * What the operations leave; {@code null} for a deletion.
	 */
	private final Map<String, @Nullable Stored> changes = new HashMap<>();

	private final List<KvEntry> results = new ArrayList<>();

	private final List<Failure> failures = new ArrayList<>();

	InMemoryTransaction(InMemoryStore store) {
		this.store = store;
		this.index = store.nextIndex();
	}

	TransactionOutcome run(List<KvOperation> operations) {
		// Consul looks at lock-delay before anything else.
		for (int i = 0; i < operations.size(); i++) {
			KvOperation operation = operations.get(i);
			if (operation.verb() == Verb.LOCK && this.store.isInLockDelay(operation.key())) {
				fail(i, FailureReason.IN_LOCK_DELAY,
						"failed to lock key \"%s\" due to lock delay".formatted(operation.key()));
			}
		}
		boolean delayed = !this.failures.isEmpty();
		for (int i = 0; i < operations.size() && !delayed; i++) {
			apply(i, operations.get(i));
		}
		if (!this.failures.isEmpty()) {
			return new TransactionOutcome.RolledBack(this.failures);
		}
		this.store.apply(this.changes);
		return new TransactionOutcome.Committed(this.results);
	}

	private void apply(int position, KvOperation operation) {
		String key = operation.key();
		Stored stored = get(key);
		switch (operation.verb()) {
			case CHECK_INDEX -> checkIndex(position, operation, stored);
			case CHECK_SESSION -> checkSession(position, operation, stored);
			case CHECK_NOT_EXISTS -> {
				if (stored != null) {
					fail(position, FailureReason.EXISTS, "key \"%s\" exists".formatted(key));
				}
			}
			case GET -> get(position, key, stored);
			case GET_TREE -> this.results.addAll(tree(key));
			case LOCK -> lock(position, operation, stored);
			case UNLOCK -> unlock(position, operation, stored);
			case SET -> write(operation, stored, (stored != null) ? stored.entry().session() : null, 0);
			case DELETE -> delete(key, stored);
			case DELETE_CAS -> deleteCas(position, operation, stored);
			default -> throw new IllegalArgumentException("No verb of a transaction: " + operation.verb());
		}
	}

	private void checkIndex(int position, KvOperation operation, @Nullable Stored stored) {
		if (stored == null) {
			fail(position, FailureReason.ABSENT,
					"failed to check index, key \"%s\" doesn't exist".formatted(operation.key()));
		}
		else if (stored.entry().modifyIndex() != operation.index()) {
			fail(position, FailureReason.CHANGED, "failed index check for key \"%s\", current modify index %d != %d"
				.formatted(operation.key(), stored.entry().modifyIndex(), operation.index()));
		}
		else {
			addResult(stored.entry());
		}
	}

	private void checkSession(int position, KvOperation operation, @Nullable Stored stored) {
		if (stored == null) {
			fail(position, FailureReason.ABSENT,
					"failed to check session, key \"%s\" doesn't exist".formatted(operation.key()));
		}
		else if (!Objects.equals(stored.entry().session(), operation.session())) {
			String current = (stored.entry().session() != null) ? stored.entry().session() : "";
			fail(position, FailureReason.CHANGED,
					"failed session check for key \"%s\", current session \"%s\" != \"%s\"".formatted(operation.key(),
							current, operation.session()));
		}
		else {
			addResult(stored.entry());
		}
	}

	private void get(int position, String key, @Nullable Stored stored) {
		if (stored == null) {
			fail(position, FailureReason.ABSENT, "key \"%s\" doesn't exist".formatted(key));
		}
		else {
			this.results.add(stored.entry());
		}
	}

	private Collection<KvEntry> tree(String prefix) {
		Map<String, KvEntry> entries = new TreeMap<>();
		this.store.list(prefix).forEach((entry) -> entries.put(entry.key(), entry));
		this.changes.forEach((key, stored) -> {
			if (stored == null) {
				entries.remove(key);
			}
			else if (key.startsWith(prefix)) {
				entries.put(key, stored.entry());
			}
		});
		return entries.values();
	}

	private void lock(int position, KvOperation operation, @Nullable Stored stored) {
		String session = operation.session();
		if (session == null || !this.store.hasSession(session)) {
			fail(position, FailureReason.SESSION_INVALID, "invalid session \"%s\"".formatted(session));
			return;
		}
		String holder = (stored != null) ? stored.entry().session() : null;
		if (holder != null && !holder.equals(session)) {
			fail(position, FailureReason.HELD_BY_ANOTHER,
					"failed to lock key \"%s\", lock is already held".formatted(operation.key()));
			return;
		}
		long lockIndex = (stored != null) ? stored.lockIndex() : 0;
		write(operation, stored, session, (holder != null) ? lockIndex : lockIndex + 1);
	}

	private void unlock(int position, KvOperation operation, @Nullable Stored stored) {
		if (stored == null || stored.entry().session() == null
				|| !stored.entry().session().equals(operation.session())) {
			fail(position, FailureReason.NOT_HELD,
					"failed to unlock key \"%s\", lock isn't held, or is held by another session"
						.formatted(operation.key()));
			return;
		}
		write(operation, stored, null, stored.lockIndex());
	}

	/**
	 * Writes, unless that would change nothing: then the index stays, as Consul has it.
	 */
	private void write(KvOperation operation, @Nullable Stored stored, @Nullable String session, long lockIndex) {
		String value = (operation.value() != null) ? operation.value() : "";
		if (stored != null && stored.lockIndex() == lockIndex && stored.entry().value().equals(value)
				&& stored.entry().flags() == operation.flags() && Objects.equals(stored.entry().session(), session)) {
			addResult(stored.entry());
			return;
		}
		long created = (stored != null) ? stored.entry().createIndex() : this.index;
		KvEntry entry = new KvEntry(operation.key(), value, operation.flags(), session, created, this.index);
		this.changes.put(operation.key(), new Stored(entry, lockIndex));
		addResult(entry);
	}

	private void delete(String key, @Nullable Stored stored) {
		if (stored != null) {
			this.changes.put(key, null);
		}
	}

	private void deleteCas(int position, KvOperation operation, @Nullable Stored stored) {
		if (stored != null && stored.entry().modifyIndex() != operation.index()) {
			fail(position, FailureReason.CHANGED,
					"failed to delete key \"%s\", index is stale".formatted(operation.key()));
			return;
		}
		delete(operation.key(), stored);
	}

	private @Nullable Stored get(String key) {
		return this.changes.containsKey(key) ? this.changes.get(key) : this.store.get(key);
	}

	/**
	 * Consul leaves the value out.
	 */
	private void addResult(KvEntry entry) {
		this.results.add(
				new KvEntry(entry.key(), "", entry.flags(), entry.session(), entry.createIndex(), entry.modifyIndex()));
	}

	private void fail(int position, FailureReason reason, String what) {
		this.failures.add(new Failure(position, reason, what));
	}

}
