package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.LockEntries.Applied;
import io.github.consullock.lock.LockEntries.Obstacle;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for a lock from several JVMs, in the order in which they came, as last
 * seen. Each has an entry, held by its session, whose value is what the lock's entry is
 * to say when the lock is handed to it. Beside them is a marker, which changes with each
 * one that comes, so that a holder can tell in one request that nobody waits. Immutable.
 * <p>
 * Only the first, the head, proves from time to time that it still runs. If it does not,
 * the one behind it removes it; it may come again. So does whoever is behind an entry
 * whose session has ended.
 *
 * @param root where the entries are
 * @param known whether they were looked at; if not, none are assumed
 * @param marker the marker, or {@code null} if there is none
 * @param waiting the entries, in order, dead ones included
 * @param headSince since when the first of them is seen to be first, and unchanged, by
 * the monotonic clock
 * @param ownSince since when the own entry is as it is
 */
record Contenders(String root, boolean known, @Nullable KvEntry marker, List<KvEntry> waiting, long headSince,
		long ownSince) {

	/** How often the head writes its entry anew. */
	static final Duration PROOF = Duration.ofSeconds(3);

	/** A lock is handed only to one that wrote its entry so little time ago. */
	static final Duration FRESH = Duration.ofSeconds(5);

	/** The head has had several occasions to write its entry by then. */
	private static final Duration SILENCE = Duration.ofSeconds(8);

	/** Of two operations each; Consul takes 64 in one transaction. */
	private static final int MAX_REMOVED = 16;

	/** Flags of the entry of one that shall let others have the first try. */
	private static final long YIELD = 1;

	private static final String MARKER = "marker";

	/** None, without having looked. */
	static Contenders unknown(String root) {
		return new Contenders(root, false, null, List.of(), 0, 0);
	}

	/** Whether a key is that of an entry here. */
	boolean isBelow(String key) {
		return key.startsWith(this.root);
	}

	/** Whether it was permitted to look at them. */
	boolean isReadable() {
		return this.known || this.ownSince != 0;
	}

	static boolean isMarker(KvEntry entry) {
		return entry.key().endsWith("/" + MARKER);
	}

	/**
	 * As they are now.
	 * @return them, or {@code null} where it is not permitted to look: nobody queues up
	 * from there
	 * @throws ConsulRefusedException if it was permitted before
	 */
	@Nullable Contenders read(ConsulClient client, Duration timeout) {
		List<KvEntry> below;
		try {
			below = client.list(this.root, timeout);
		}
		catch (ConsulRefusedException ex) {
			if (isReadable()) {
				throw ex;
			}
			return null;
		}
		return of(below);
	}

	/**
	 * As they are once anything has changed.
	 * @param since an index: what has changed after it, has changed
	 * @param wait how long to wait at most
	 */
	Contenders await(ConsulClient client, long since, Duration wait) {
		return of(client.watchTree(this.root, since, wait));
	}

	/**
	 * As they are now.
	 * @param below all entries below the root
	 */
	Contenders of(List<KvEntry> below) {
		KvEntry markerNow = null;
		List<KvEntry> now = new ArrayList<>();
		for (KvEntry entry : below) {
			// What is further below is the queue of a key that has such a name.
			if (entry.key().indexOf('/', this.root.length()) < 0) {
				if (isMarker(entry)) {
					markerNow = entry;
				}
				else {
					now.add(entry);
				}
			}
		}
		now.sort(Comparator.comparingLong(KvEntry::createIndex));
		return new Contenders(this.root, true, markerNow, List.copyOf(now), headSince(now), this.ownSince);
	}

	/** Another head has not been silent yet. */
	private long headSince(List<KvEntry> now) {
		boolean sameHead = !now.isEmpty() && !this.waiting.isEmpty() && now.get(0).equals(this.waiting.get(0));
		return sameHead ? this.headSince : System.nanoTime();
	}

	/** The first whose session has not ended, or {@code null} if there is none. */
	@Nullable KvEntry first() {
		for (KvEntry entry : this.waiting) {
			if (isLiving(entry)) {
				return entry;
			}
		}
		return null;
	}

	/** Whether nobody is left of those who came. */
	boolean isEmpty() {
		return this.marker != null && first() == null;
	}

	private static boolean isLiving(KvEntry entry) {
		return entry.session() != null;
	}

	private @Nullable KvEntry own(Claimant claimant) {
		return lastSeen(key(claimant));
	}

	/** The entry of one who waits, or {@code null} if it is not there. */
	@Nullable KvEntry lastSeen(String key) {
		for (KvEntry entry : this.waiting) {
			if (entry.key().equals(key)) {
				return entry;
			}
		}
		return null;
	}

	private String key(Claimant claimant) {
		return this.root + claimant.id();
	}

	/** Whether the claimant is one of them. */
	boolean has(Claimant claimant) {
		return claimant.owns(own(claimant));
	}

	/** The one directly before a claimant, or {@code null} if it is the head. */
	private @Nullable KvEntry before(Claimant claimant) {
		KvEntry before = null;
		for (KvEntry entry : this.waiting) {
			if (entry.key().equals(key(claimant))) {
				return before;
			}
			before = entry;
		}
		return before;
	}

	/** Fails if anybody has come since, or, where none is known, at all. */
	KvOperation check() {
		KvEntry seen = this.marker;
		return (seen != null) ? KvOperation.checkIndex(seen.key(), seen.modifyIndex())
				: KvOperation.checkNotExists(this.root + MARKER);
	}

	/**
	 * What one that wants the lock has to wait for.
	 * @param holder what is in the way of everybody, if anything is
	 * @param key the entry that tells of the lock
	 */
	@Nullable Obstacle obstacle(@Nullable Claimant claimant, @Nullable Obstacle holder, String key) {
		if (claimant == null) {
			return holder;
		}
		if (has(claimant)) {
			if (duty(claimant) != null) {
				return null;
			}
			KvEntry before = before(claimant);
			boolean waits = holder != null || claimant.fair();
			return (before == null) ? holder : waits ? behind(before, holder, before.key()) : null;
		}
		if (claimant.patient()) {
			// It can queue up, at least.
			return null;
		}
		KvEntry first = claimant.fair() ? first() : null;
		return (first != null) ? behind(first, holder, key) : holder;
	}

	private static Obstacle behind(KvEntry other, @Nullable Obstacle holder, String key) {
		return new Obstacle(
				(holder != null) ? holder.description() : "waited for before by " + HolderDescription.of(other), key);
	}

	/**
	 * What one that wants the lock has to write here before it may try.
	 * @param held whether anything is in the way of everybody
	 * @return the change, or {@code null} if it may try
	 */
	@Nullable Change queueing(Claimant claimant, boolean held) {
		if (has(claimant)) {
			return duty(claimant);
		}
		boolean waits = held || (claimant.fair() && first() != null);
		return (waits && claimant.patient()) ? enter(claimant) : null;
	}

	/** What goes with the attempt of one that may try. */
	List<KvOperation> admission(Claimant claimant) {
		if (has(claimant)) {
			return ownRemoval(claimant);
		}
		return claimant.fair() ? List.of(check()) : List.of();
	}

	/** Comes last. */
	private Change enter(Claimant claimant) {
		String key = key(claimant);
		// Of one that comes again, too.
		String sign = UUID.randomUUID().toString();
		List<KvOperation> operations = List.of(KvOperation.set(this.root + MARKER, sign, 0),
				KvOperation.checkNotExists(key), lock(key, claimant.session().id(), claimant.value(), 0),
				KvOperation.getTree(this.root));
		return new Change(operations, (applied) -> {
			List<KvEntry> below = after(key, applied.results());
			KvEntry own = new KvEntry(key, claimant.value(), 0, claimant.session().id(), applied.index(),
					applied.index());
			// Without permission to read, there are none.
			Contenders now = below.isEmpty() ? with((entries) -> entries.add(own)) : of(below);
			return new Contenders(this.root, now.known, now.marker, now.waiting, now.headSince, System.nanoTime());
		});
	}

	/** What was read after an entry was written. */
	private static List<KvEntry> after(String written, List<KvEntry> results) {
		for (int i = 0; i < results.size(); i++) {
			if (results.get(i).key().equals(written)) {
				return results.subList(i + 1, results.size());
			}
		}
		return List.of();
	}

	private static KvOperation lock(String key, String session, String value, long flags) {
		return KvOperation.lock(key, session, value, flags);
	}

	/**
	 * What one that waits has to do for all to go on: remove those before it that cannot,
	 * or prove that it can itself.
	 * @return what is to be written now, or {@code null} if nothing is
	 */
	private @Nullable Change duty(Claimant claimant) {
		KvEntry own = own(claimant);
		if (own == null) {
			return null;
		}
		int position = this.waiting.indexOf(own);
		List<KvEntry> gone = new ArrayList<>();
		while (position > 0 && gone.size() < MAX_REMOVED && cannotGoOn(position - 1)) {
			gone.add(this.waiting.get(--position));
		}
		if (!gone.isEmpty()) {
			return new Change(gone.stream().flatMap((entry) -> removal(entry).stream()).toList(),
					(applied) -> with((now) -> now.removeAll(gone)));
		}
		boolean proves = position == 0 && (own.flags() == YIELD || isOlder(this.ownSince, PROOF));
		return proves ? proof(claimant, own) : null;
	}

	private boolean cannotGoOn(int position) {
		return !isLiving(this.waiting.get(position)) || (position == 0 && isOlder(this.headSince, SILENCE));
	}

	private static boolean isOlder(long since, Duration age) {
		return System.nanoTime() - since > age.toNanos();
	}

	/** Locked again as it is, it would keep its index. */
	private Change proof(Claimant claimant, KvEntry own) {
		String session = claimant.session().id();
		List<KvOperation> operations = List.of(KvOperation.checkIndex(own.key(), own.modifyIndex()),
				KvOperation.unlock(own.key(), session, "", 0), lock(own.key(), session, claimant.value(), 0));
		return new Change(operations, (applied) -> {
			KvEntry written = new KvEntry(own.key(), claimant.value(), 0, session, own.createIndex(), applied.index());
			Contenders now = with((entries) -> entries.replaceAll((entry) -> (entry == own) ? written : entry));
			return new Contenders(now.root, now.known, now.marker, now.waiting, System.nanoTime(), System.nanoTime());
		});
	}

	/** Fails if the entry has changed, or gone. */
	static List<KvOperation> removal(KvEntry entry) {
		return List.of(KvOperation.checkIndex(entry.key(), entry.modifyIndex()), KvOperation.delete(entry.key()));
	}

	/**
	 * Takes a claimant out, wherever it is, and what else is of no use any more. Not by
	 * {@code delete-cas}, which succeeds where the entry has gone because the lock was
	 * handed over.
	 * @return the operations; none if there is nothing
	 */
	List<KvOperation> leave(Claimant claimant) {
		List<KvOperation> operations = new ArrayList<>(ownRemoval(claimant));
		operations.addAll(tidy(claimant));
		return operations;
	}

	private List<KvOperation> ownRemoval(Claimant claimant) {
		KvEntry own = own(claimant);
		return (own != null) ? removal(own) : List.of();
	}

	/** Without a claimant. */
	Contenders without(Claimant claimant) {
		KvEntry own = own(claimant);
		return (own != null) ? without(own) : this;
	}

	/** Without one of them. */
	Contenders without(KvEntry entry) {
		return with((now) -> now.remove(entry));
	}

	/**
	 * The one to hand a lock to: the first, if it is sure to have been running a moment
	 * ago. Otherwise the lock has to be there for whoever runs.
	 */
	@Nullable KvEntry heir(IndexClock clock) {
		KvEntry first = first();
		// One that is held back was last written by somebody else.
		boolean fresh = first != null && first.flags() != YIELD && clock.maxAge(first.modifyIndex()) < FRESH.toNanos();
		return fresh ? first : null;
	}

	/**
	 * What goes with the release of a lock that is handed to nobody.
	 * @param open whether it is released for the sake of those who do not queue up
	 */
	List<KvOperation> release(Claimant holder, boolean open) {
		if (first() != null) {
			return open ? holdBack() : List.of();
		}
		List<KvOperation> tidying = tidy(holder);
		return tidying.isEmpty() ? List.of(check()) : tidying;
	}

	/** The first's own try fails, since its entry has changed. */
	private List<KvOperation> holdBack() {
		KvEntry first = first();
		if (first == null || first.session() == null) {
			return List.of();
		}
		return List.of(KvOperation.checkIndex(first.key(), first.modifyIndex()),
				lock(first.key(), first.session(), first.value(), YIELD));
	}

	/**
	 * Removes the marker, and dead entries, where nobody waits any more.
	 * @return the operations; none if there is nothing, or somebody waits
	 */
	private List<KvOperation> tidy(Claimant leaving) {
		KvEntry seen = this.marker;
		List<KvEntry> others = without(leaving).waiting;
		if (seen == null || others.stream().anyMatch(Contenders::isLiving)) {
			return List.of();
		}
		List<KvOperation> operations = new ArrayList<>(2 + 2 * others.size());
		if (others.size() <= MAX_REMOVED) {
			operations.addAll(removal(seen));
		}
		others.stream().limit(MAX_REMOVED).forEach((entry) -> operations.addAll(removal(entry)));
		return operations;
	}

	/**
	 * With an entry as it was seen since.
	 * @return others, or these if that is no news
	 */
	Contenders with(String key, KvSnapshot snapshot) {
		for (KvEntry entry : this.waiting) {
			if (entry.key().equals(key) && snapshot.index() > entry.modifyIndex()) {
				KvEntry now = snapshot.entry();
				if (now == null || now.createIndex() != entry.createIndex()) {
					// Those before it may have gone before it.
					return new Contenders(this.root, false, null, List.of(), 0, this.ownSince);
				}
				Contenders changed = with((entries) -> entries.replaceAll((other) -> (other == entry) ? now : other));
				return new Contenders(this.root, this.known, this.marker, changed.waiting, System.nanoTime(),
						this.ownSince);
			}
		}
		return this;
	}

	private Contenders with(Consumer<List<KvEntry>> edit) {
		List<KvEntry> now = new ArrayList<>(this.waiting);
		edit.accept(now);
		return new Contenders(this.root, this.known, this.marker, List.copyOf(now), headSince(now), this.ownSince);
	}

	/**
	 * What to write, and what is there then.
	 *
	 * @param operations of a transaction
	 * @param after what is there once it was applied
	 */
	record Change(List<KvOperation> operations, Function<Applied, Contenders> after) {
	}

}
