package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a {@link KeyLock}.
 * <p>
 * Where others can queue up, a lock that is held is waited for in the queue, and handed
 * to the first there in the transaction that gives it up. One that is free may be taken
 * by anybody, except by those who want to be fair.
 *
 * @param lock the lock
 * @param seen the entries as last seen, by their keys; what was absent or never looked at
 * is not there
 * @param line those who wait in Consul, or {@code null} if nobody queues up there
 */
record KeyEntries(KeyLock lock, Map<String, KvEntry> seen, @Nullable Contenders line) implements LockEntries {

	@Override
	public @Nullable Obstacle obstacle(@Nullable Claimant claimant) {
		Obstacle holder = holder(claimant);
		return (this.line != null && !isHeldBy(claimant)) ? this.line.obstacle(claimant, holder, this.lock.key())
				: holder;
	}

	/** Others wait for its session then, whoever came first. */
	private boolean isHeldBy(@Nullable Claimant claimant) {
		return claimant != null && token(claimant) != 0;
	}

	private @Nullable Obstacle holder(@Nullable Claimant claimant) {
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (entry != null && entry.session() != null && (claimant == null || !claimant.owns(entry))) {
				return new Obstacle("held by " + HolderDescription.of(entry), key);
			}
		}
		return null;
	}

	@Override
	public Step approach(Claimant claimant) {
		Contenders.Change queueing = (this.line != null && !isHeldBy(claimant))
				? this.line.queueing(claimant, holder(claimant) != null) : null;
		if (queueing != null) {
			this.seen.values().forEach(KeyEntries::checkIsLock);
			return new Step(queueing.operations(), false,
					(applied) -> new KeyEntries(this.lock, this.seen, queueing.after().apply(applied)));
		}
		List<KvOperation> operations = new ArrayList<>(2 + 3 * this.lock.keys().size());
		if (this.line != null) {
			operations.addAll(this.line.admission(claimant));
		}
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (entry == null) {
				operations.add(KvOperation.checkNotExists(key));
			}
			else {
				checkIsLock(entry);
				operations.add(KvOperation.checkIndex(key, entry.modifyIndex()));
				if (claimant.owns(entry)) {
					// Left by a hold of this session that ended without a trace, or
					// claimed again. Locked again as it is, it would keep its index,
					// which was a token before.
					operations.add(unlock(claimant, key, ""));
				}
			}
			operations.add(lock(claimant, key));
		}
		return new Step(operations, true, (applied) -> heldBy(claimant, applied.index()));
	}

	private static KvOperation lock(Claimant claimant, String key) {
		return KvOperation.lock(key, claimant.session().id(), claimant.value(), LockFlags.LOCK);
	}

	/** With nothing where it is locked again at once: two long values are too much. */
	private static KvOperation unlock(Claimant claimant, String key, String value) {
		return KvOperation.unlock(key, claimant.session().id(), value, LockFlags.LOCK);
	}

	private LockEntries heldBy(Claimant claimant, long index) {
		return new KeyEntries(this.lock, entriesOf(claimant, index),
				(this.line != null) ? this.line.without(claimant) : null);
	}

	private Map<String, KvEntry> entriesOf(Claimant claimant, long index) {
		List<String> keys = this.lock.keys();
		if (keys.size() == 1) {
			// As nearly always; it is kept for as long as the lock is held.
			return Map.of(keys.get(0), entryOf(claimant, keys.get(0), index));
		}
		Map<String, KvEntry> entries = new HashMap<>();
		keys.forEach((key) -> entries.put(key, entryOf(claimant, key, index)));
		return entries;
	}

	private static KvEntry entryOf(Claimant claimant, String key, long index) {
		return new KvEntry(key, claimant.value(), LockFlags.LOCK, claimant.session().id(), index, index);
	}

	private static void checkIsLock(KvEntry entry) {
		if (entry.flags() != LockFlags.LOCK) {
			throw new LockConflictException("The key '" + entry.key() + "' holds something that is no lock: its flags"
					+ " are " + Long.toUnsignedString(entry.flags()) + " instead of " + LockFlags.LOCK
					+ ". It is not overwritten; lock another key, or delete that entry if it is of no use");
		}
	}

	@Override
	public long token(Claimant claimant) {
		long token = 0;
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (entry == null || !claimant.owns(entry)) {
				return 0;
			}
			token = Math.max(token, entry.modifyIndex());
		}
		return token;
	}

	@Override
	public List<KvOperation> leave(Claimant claimant) {
		List<KvOperation> operations = new ArrayList<>(4 + 2 * this.lock.keys().size());
		if (this.line != null) {
			operations.addAll(this.line.leave(claimant));
		}
		leaveKeys(claimant, operations);
		return operations;
	}

	private void leaveKeys(Claimant claimant, List<KvOperation> operations) {
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (entry != null && claimant.owns(entry)) {
				operations.add(KvOperation.checkIndex(key, entry.modifyIndex()));
				operations.add(claimant.deleteOnRelease() ? KvOperation.deleteCas(key, entry.modifyIndex())
						: unlock(claimant, key, claimant.value()));
			}
		}
	}

	@Override
	public Departing depart(Claimant claimant, IndexClock clock, boolean open) {
		Contenders waiting = this.line;
		KvEntry entry = this.seen.get(this.lock.key());
		List<KvOperation> operations = new ArrayList<>(6);
		if (waiting == null || entry == null) {
			leaveKeys(claimant, operations);
			return Departing.leaving(operations, this);
		}
		KvEntry heir = open ? null : waiting.heir(clock);
		if (heir != null && heir.session() != null) {
			operations.addAll(Contenders.removal(heir));
			operations.add(KvOperation.checkIndex(entry.key(), entry.modifyIndex()));
			operations.add(unlock(claimant, entry.key(), ""));
			String value = HolderDescription.handedOver(heir.value());
			operations.add(KvOperation.lock(entry.key(), heir.session(), value, LockFlags.LOCK));
			return new Departing(operations, true, (index) -> new KeyEntries(this.lock, Map.of(entry.key(),
					new KvEntry(entry.key(), value, LockFlags.LOCK, heir.session(), entry.createIndex(), index)),
					waiting.without(heir)));
		}
		operations.addAll(waiting.release(claimant, open));
		leaveKeys(claimant, operations);
		return Departing.leaving(operations, this);
	}

	@Override
	public @Nullable LockEntries handedOver(Claimant claimant, long since) {
		return (this.line != null && token(claimant) > since)
				? new KeyEntries(this.lock, this.seen, this.line.without(claimant)) : null;
	}

	@Override
	public boolean isWaitedFor() {
		return this.line != null && this.line.first() != null;
	}

	@Override
	public boolean hasEmptyQueue() {
		return this.line != null && this.line.isEmpty();
	}

	@Override
	public boolean isOutdated(Claimant claimant) {
		return this.line != null && !this.line.known();
	}

	@Override
	public LockEntries again(ConsulClient client, Duration timeout) {
		WaitBudget budget = WaitBudget.startingNow(timeout);
		LockEntries together = (this.line != null && this.line.isReadable() && this.seen.containsKey(this.lock.key()))
				? readTogether(client, this.line, timeout) : null;
		if (together != null) {
			return together;
		}
		// First, or one whose entry has gone might not yet see that it holds the lock.
		Contenders now = (this.line != null) ? this.line.read(client, budget.restOfReads()) : null;
		return new KeyEntries(this.lock, this.lock.read(client, budget.restOfReads()).seen, now);
	}

	/**
	 * In one request, if the lock's entry and a queue are there. What may not be read
	 * would be left out of the answer: where nothing is there, it is asked for by itself,
	 * which is refused then.
	 */
	private @Nullable LockEntries readTogether(ConsulClient client, Contenders waiting, Duration timeout) {
		String key = this.lock.key();
		TransactionOutcome outcome = client.transact(List.of(KvOperation.get(key), KvOperation.getTree(waiting.root())),
				timeout);
		List<KvEntry> results = (outcome instanceof Committed committed) ? committed.results() : List.of();
		if (results.size() < 2 || !results.get(0).key().equals(key)) {
			return null;
		}
		return new KeyEntries(this.lock, Map.of(key, results.get(0)), waiting.of(results.subList(1, results.size())));
	}

	@Override
	public LockEntries awaitWaiting(ConsulClient client, long since, Duration wait) {
		return (this.line != null) ? new KeyEntries(this.lock, this.seen, this.line.await(client, since, wait)) : this;
	}

	@Override
	public LockEntries withWaiting(ConsulClient client, Duration timeout) {
		return (this.line != null) ? new KeyEntries(this.lock, this.seen, this.line.read(client, timeout)) : this;
	}

	@Override
	public List<KvOperation> guard(Claimant claimant) {
		return this.lock.keys().stream().map(this::check).toList();
	}

	private KvOperation check(String key) {
		KvEntry entry = this.seen.get(key);
		return (entry != null) ? KvOperation.checkIndex(key, entry.modifyIndex()) : KvOperation.checkNotExists(key);
	}

	@Override
	public @Nullable Step handOver(Claimant from, Claimant to) {
		KvEntry entry = this.seen.get(this.lock.key());
		if (this.lock.keys().size() > 1 || entry == null) {
			return null;
		}
		List<KvOperation> operations = new ArrayList<>(4);
		if (this.line != null && this.line.first() == null) {
			// Who waits elsewhere is noticed thereby.
			operations.add(this.line.check());
		}
		operations.add(KvOperation.checkIndex(entry.key(), entry.modifyIndex()));
		if (entry.value().equals(to.value())) {
			// Locked again as it is, it would keep its index.
			operations.add(unlock(to, entry.key(), ""));
		}
		operations.add(lock(to, entry.key()));
		return new Step(operations, true, (applied) -> heldBy(to, applied.index()));
	}

	@Override
	public LockLostReason loss(Claimant claimant) {
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (!claimant.owns(entry)) {
				boolean taken = entry != null && entry.session() != null;
				return taken ? LockLostReason.TAKEN_OVER : LockLostReason.KEY_DELETED;
			}
		}
		return LockLostReason.KEY_DELETED;
	}

	@Override
	public LockEntries with(String key, KvSnapshot snapshot) {
		if (this.line != null && this.line.isBelow(key)) {
			Contenders now = this.line.with(key, snapshot);
			return (now == this.line) ? this : new KeyEntries(this.lock, this.seen, now);
		}
		KvEntry known = this.seen.get(key);
		if (known != null && (snapshot.index() <= known.modifyIndex() || isSame(known, snapshot.entry()))) {
			return this;
		}
		Map<String, KvEntry> now = new HashMap<>(this.seen);
		now.remove(key);
		if (snapshot.entry() != null) {
			now.put(key, snapshot.entry());
		}
		return new KeyEntries(this.lock, now, this.line);
	}

	/** What each watch of a hold tells first: no reason to keep another copy. */
	private static boolean isSame(KvEntry known, @Nullable KvEntry now) {
		return now != null && now.modifyIndex() == known.modifyIndex()
				&& Objects.equals(now.session(), known.session());
	}

	@Override
	public @Nullable KvEntry lastSeen(String key) {
		return (this.line != null && this.line.isBelow(key)) ? this.line.lastSeen(key) : this.seen.get(key);
	}

	@Override
	public List<String> watched(Claimant claimant) {
		return this.lock.keys();
	}

	@Override
	public List<KvEntry> holders() {
		return this.lock.keys()
			.stream()
			.map(this.seen::get)
			.filter((entry) -> entry != null && entry.session() != null)
			.toList();
	}

	@Override
	public List<KvOperation> destroy() {
		List<KvOperation> operations = new ArrayList<>();
		for (KvEntry entry : this.seen.values()) {
			checkIsLock(entry);
			operations.add(KvOperation.checkIndex(entry.key(), entry.modifyIndex()));
			operations.add(KvOperation.delete(entry.key()));
		}
		return operations;
	}

}
