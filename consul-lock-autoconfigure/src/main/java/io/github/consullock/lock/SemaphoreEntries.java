package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a {@link SemaphoreLock}.
 * <p>
 * A holder is dead when its entry is not held by a session any more. Its place is given
 * to somebody else only by a transaction that also locks its entry: until lock-delay is
 * over, which the dead holder may need to notice its end, Consul refuses that. Go's
 * client does not wait for it.
 *
 * @param lock the semaphore
 * @param state the entry that names the holders, or {@code null} if there is none
 * @param entries the entries of holders, by their keys
 * @param dead the sessions of holders that were dead when all entries were last read, and
 * of others who left an entry behind
 * @param closed those of them whose entries are known to be in lock-delay
 * @param line those who wait in Consul, or {@code null} if nobody queues up there
 */
record SemaphoreEntries(SemaphoreLock lock, @Nullable KvEntry state, Map<String, KvEntry> entries, Set<String> dead,
		Set<String> closed, @Nullable Contenders line) implements LockEntries {

	/** Three operations each, of the 64 that a transaction may have. */
	private static final int MAX_REMOVED = 16;

	/**
	 * The entries as they are at one moment.
	 * @param below all that is below the semaphore's key, by its keys
	 */
	static SemaphoreEntries read(SemaphoreLock lock, Map<String, KvEntry> below) {
		KvEntry state = below.get(lock.stateKey());
		Map<String, KvEntry> entries = new HashMap<>();
		Set<String> dead = new HashSet<>();
		String prefix = lock.holderKey("");
		below.forEach((key, entry) -> {
			String session = key.substring(prefix.length());
			if (!key.equals(lock.stateKey()) && session.indexOf('/') < 0 && entry.flags() == LockFlags.SEMAPHORE) {
				entries.put(key, entry);
				if (entry.session() == null) {
					dead.add(session);
				}
			}
		});
		for (String holder : holders(state, lock)) {
			KvEntry entry = below.get(lock.holderKey(holder));
			if (entry == null) {
				dead.add(holder);
			}
		}
		return new SemaphoreEntries(lock, state, Map.copyOf(entries), Set.copyOf(dead), Set.of(),
				lock.unknownContenders());
	}

	private static SortedSet<String> holders(@Nullable KvEntry state, SemaphoreLock lock) {
		SemaphoreState written = SemaphoreState.read(state, lock.limit());
		return (written != null) ? written.holders() : new TreeSet<>();
	}

	private SortedSet<String> inState() {
		return holders(this.state, this.lock);
	}

	private @Nullable KvEntry entry(String session) {
		return this.entries.get(this.lock.holderKey(session));
	}

	@Override
	public @Nullable Obstacle obstacle(@Nullable Claimant claimant) {
		Obstacle holders = heldBy(claimant);
		return (this.line != null && !isHeldBy(claimant)) ? this.line.obstacle(claimant, holders, this.lock.stateKey())
				: holders;
	}

	/** Others may wait for its session then, whoever came first. */
	private boolean isHeldBy(@Nullable Claimant claimant) {
		return claimant != null && token(claimant) != 0;
	}

	private @Nullable Obstacle heldBy(@Nullable Claimant claimant) {
		SemaphoreState written = SemaphoreState.read(this.state, this.lock.limit());
		if (written == null || written.limit() != this.lock.limit()) {
			return null;
		}
		String own = (claimant != null) ? claimant.session().id() : "";
		Set<String> others = written.holders();
		others.remove(own);
		Set<String> living = new TreeSet<>(others);
		living.removeAll(this.dead);
		removable(own).forEach(others::remove);
		if (others.size() < this.lock.limit()) {
			return null;
		}
		if (living.size() < this.lock.limit()) {
			return new Obstacle(
					"the sessions of " + (others.size() - living.size()) + " of its " + others.size()
							+ " holders ended, and their entries are closed for lock-delay",
					this.lock.stateKey(), true);
		}
		String known = living.stream()
			.map(this::entry)
			.filter(Objects::nonNull)
			.findFirst()
			.map((entry) -> ", one of them by " + HolderDescription.of(entry))
			.orElse("");
		return new Obstacle("all its permits are held (" + this.lock.limit() + ")" + known, this.lock.stateKey());
	}

	@Override
	public Step approach(Claimant claimant) {
		SemaphoreState before = SemaphoreState.checked(this.state, this.lock);
		Contenders.Change queueing = (this.line != null && !isHeldBy(claimant))
				? this.line.queueing(claimant, heldBy(claimant) != null) : null;
		if (queueing != null) {
			return new Step(queueing.operations(), false, (applied) -> withLine(queueing.after().apply(applied)));
		}
		String session = claimant.session().id();
		String own = this.lock.holderKey(session);
		List<String> removed = removable(session);
		removed.forEach(before.holders()::remove);
		before.holders().add(session);
		String value = before.value();
		List<KvOperation> operations = new ArrayList<>(7 + 3 * removed.size());
		if (this.line != null) {
			operations.addAll(this.line.admission(claimant));
		}
		operations.add(check(this.lock.stateKey(), this.state));
		operations.add(KvOperation.set(this.lock.stateKey(), value, LockFlags.SEMAPHORE));
		for (String holder : removed) {
			operations.addAll(removal(holder, claimant));
		}
		operations.add(check(own, this.entries.get(own)));
		if (claimant.owns(this.entries.get(own))) {
			// Left by a hold of this session. Locked again as it is, it might keep its
			// index, which was a token before.
			operations.add(KvOperation.unlock(own, session, claimant.value(), LockFlags.SEMAPHORE));
		}
		operations.add(KvOperation.lock(own, session, claimant.value(), LockFlags.SEMAPHORE));
		return new Step(operations, true, (applied) -> after(claimant, value, removed, applied.index()));
	}

	/** The dead whose places can be had, as far as is known, holders first. */
	private List<String> removable(String own) {
		SortedSet<String> holders = inState();
		return this.dead.stream()
			.filter((session) -> !session.equals(own) && !this.closed.contains(session))
			.sorted(Comparator.comparing((session) -> !holders.contains(session)))
			.limit(MAX_REMOVED)
			.toList();
	}

	/** Fails while the entry of the dead is in lock-delay. */
	private List<KvOperation> removal(String holder, Claimant by) {
		String key = this.lock.holderKey(holder);
		return List.of(check(key, this.entries.get(key)),
				KvOperation.lock(key, by.session().id(), "", LockFlags.SEMAPHORE), KvOperation.delete(key));
	}

	private static KvOperation check(String key, @Nullable KvEntry entry) {
		return (entry != null) ? KvOperation.checkIndex(key, entry.modifyIndex()) : KvOperation.checkNotExists(key);
	}

	private LockEntries after(Claimant claimant, String value, List<String> removed, long index) {
		KvEntry before = this.state;
		// A write that changes nothing moves no index.
		KvEntry now = (before != null && before.value().equals(value)) ? before
				: new KvEntry(this.lock.stateKey(), value, LockFlags.SEMAPHORE,
						(before != null) ? before.session() : null, (before != null) ? before.createIndex() : index,
						index);
		Map<String, KvEntry> entriesNow = new HashMap<>(this.entries);
		removed.forEach((holder) -> entriesNow.remove(this.lock.holderKey(holder)));
		String session = claimant.session().id();
		String own = this.lock.holderKey(session);
		entriesNow.put(own, new KvEntry(own, claimant.value(), LockFlags.SEMAPHORE, session, index, index));
		Set<String> deadNow = new HashSet<>(this.dead);
		removed.forEach(deadNow::remove);
		return new SemaphoreEntries(this.lock, now, entriesNow, deadNow, Set.of(),
				(this.line != null) ? this.line.without(claimant) : null);
	}

	@Override
	public LockEntries avoiding(List<String> delayed) {
		Set<String> closedNow = new HashSet<>(this.closed);
		for (String session : this.dead) {
			if (delayed.contains(this.lock.holderKey(session))) {
				closedNow.add(session);
			}
		}
		return new SemaphoreEntries(this.lock, this.state, this.entries, this.dead, closedNow, this.line);
	}

	@Override
	public long token(Claimant claimant) {
		KvEntry own = entry(claimant.session().id());
		if (own == null || !claimant.owns(own) || !inState().contains(claimant.session().id())) {
			return 0;
		}
		return own.modifyIndex();
	}

	@Override
	public List<KvOperation> leave(Claimant claimant) {
		List<KvOperation> operations = new ArrayList<>((this.line != null) ? this.line.leave(claimant) : List.of());
		leavePlace(claimant, null, operations);
		return operations;
	}

	/**
	 * Takes a holder out of the state, and its entry away.
	 * @param heir the session that takes its place, or {@code null}
	 */
	private void leavePlace(Claimant claimant, @Nullable String heir, List<KvOperation> operations) {
		String session = claimant.session().id();
		String key = this.lock.holderKey(session);
		KvEntry own = this.entries.get(key);
		SemaphoreState written = SemaphoreState.read(this.state, this.lock.limit());
		if (written != null && written.holders().remove(session)) {
			if (heir != null) {
				written.holders().add(heir);
			}
			operations.add(check(this.lock.stateKey(), this.state));
			operations.add((written.holders().isEmpty() && claimant.deleteOnRelease())
					? KvOperation.delete(this.lock.stateKey())
					: KvOperation.set(this.lock.stateKey(), written.value(), LockFlags.SEMAPHORE));
		}
		else if (own == null) {
			return;
		}
		operations.add(check(key, own));
		if (!claimant.owns(own)) {
			// Fails if the session has ended: it is one of the dead then.
			operations.add(KvOperation.lock(key, session, claimant.value(), LockFlags.SEMAPHORE));
		}
		operations.add(KvOperation.delete(key));
	}

	@Override
	public Departing depart(Claimant claimant, IndexClock clock, boolean open) {
		Contenders waiting = this.line;
		if (waiting == null) {
			return Departing.leaving(leave(claimant), this);
		}
		List<KvOperation> operations = new ArrayList<>(9);
		KvEntry heir = (open || token(claimant) == 0) ? null : waiting.heir(clock);
		if (heir != null && heir.session() != null) {
			String key = this.lock.holderKey(heir.session());
			operations.addAll(Contenders.removal(heir));
			leavePlace(claimant, heir.session(), operations);
			operations.add(check(key, this.entries.get(key)));
			operations.add(KvOperation.lock(key, heir.session(), HolderDescription.handedOver(heir.value()),
					LockFlags.SEMAPHORE));
			return new Departing(operations, true, (index) -> this);
		}
		operations.addAll(waiting.release(claimant, open));
		leavePlace(claimant, null, operations);
		return Departing.leaving(operations, this);
	}

	@Override
	public @Nullable LockEntries handedOver(Claimant claimant, long since) {
		return (this.line != null && token(claimant) > since) ? withLine(this.line.without(claimant)) : null;
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
		String session = claimant.session().id();
		boolean handedOver = inState().contains(session) && entry(session) == null;
		return this.line != null && (handedOver || !this.line.known());
	}

	private SemaphoreEntries withLine(@Nullable Contenders other) {
		return new SemaphoreEntries(this.lock, this.state, this.entries, this.dead, this.closed, other);
	}

	@Override
	public List<KvOperation> guard(Claimant claimant) {
		String session = claimant.session().id();
		KvEntry own = entry(session);
		// The state as well: without it, others fill the places anew.
		return List.of(check(this.lock.stateKey(), this.state),
				(own != null) ? KvOperation.checkIndex(own.key(), own.modifyIndex())
						: KvOperation.checkSession(this.lock.holderKey(session), session));
	}

	@Override
	public LockEntries again(ConsulClient client, Duration timeout) {
		if (this.line == null) {
			return this.lock.read(client, timeout);
		}
		// First, or one whose entry has gone might not yet see that it has a permit.
		WaitBudget budget = WaitBudget.startingNow(timeout);
		Contenders now = this.line.read(client, timeout);
		return this.lock.read(client, budget.restOfReads()).withLine(now);
	}

	@Override
	public LockEntries withWaiting(ConsulClient client, Duration timeout) {
		return (this.line != null) ? withLine(this.line.read(client, timeout)) : this;
	}

	@Override
	public LockEntries awaitWaiting(ConsulClient client, long since, Duration wait) {
		return (this.line != null) ? withLine(this.line.await(client, since, wait)) : this;
	}

	@Override
	public LockLostReason loss(Claimant claimant) {
		KvEntry own = entry(claimant.session().id());
		if (!claimant.owns(own)) {
			return (own != null && own.session() != null) ? LockLostReason.TAKEN_OVER : LockLostReason.KEY_DELETED;
		}
		return (this.state != null) ? LockLostReason.TAKEN_OVER : LockLostReason.KEY_DELETED;
	}

	@Override
	public LockEntries with(String key, KvSnapshot snapshot) {
		if (this.line != null && this.line.isBelow(key)) {
			Contenders waiting = this.line.with(key, snapshot);
			return (waiting == this.line) ? this : withLine(waiting);
		}
		boolean isState = key.equals(this.lock.stateKey());
		KvEntry known = isState ? this.state : this.entries.get(key);
		KvEntry now = snapshot.entry();
		if (Objects.equals(known, now) || (known != null && snapshot.index() <= known.modifyIndex())) {
			return this;
		}
		if (isState) {
			return new SemaphoreEntries(this.lock, now, this.entries, this.dead, this.closed, this.line);
		}
		Map<String, KvEntry> entriesNow = new HashMap<>(this.entries);
		entriesNow.remove(key);
		if (now != null) {
			entriesNow.put(key, now);
		}
		return new SemaphoreEntries(this.lock, this.state, entriesNow, this.dead, this.closed, this.line);
	}

	@Override
	public @Nullable KvEntry lastSeen(String key) {
		if (this.line != null && this.line.isBelow(key)) {
			return this.line.lastSeen(key);
		}
		return key.equals(this.lock.stateKey()) ? this.state : this.entries.get(key);
	}

	@Override
	public List<String> watched(Claimant claimant) {
		return List.of(this.lock.stateKey(), this.lock.holderKey(claimant.session().id()));
	}

	@Override
	public List<KvEntry> holders() {
		return inState().stream()
			.map(this::entry)
			.filter(Objects::nonNull)
			.filter((entry) -> entry.session() != null)
			.toList();
	}

	/** Whether there is something that only a claimant can remove. */
	boolean hasDead() {
		return !this.dead.isEmpty();
	}

	/** The semaphore, with the limit that it has in Consul. */
	SemaphoreLock present() {
		SemaphoreState written = SemaphoreState.read(this.state, this.lock.limit());
		return (written != null) ? this.lock.withLimit(written.limit()) : this.lock;
	}

	@Override
	public List<KvOperation> destroy() {
		KvEntry known = this.state;
		if (known == null) {
			return List.of();
		}
		SortedSet<String> holders = SemaphoreState.checked(known, present()).holders();
		if (!holders.isEmpty()) {
			throw new LockInUseException("The semaphore '" + this.lock.key() + "' cannot be destroyed yet: the session "
					+ holders.first() + " of a holder ended, whose place is closed for lock-delay");
		}
		return List.of(check(known.key(), known), KvOperation.delete(known.key()));
	}

}
