package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.ReadWriteState.Member;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a read-write lock. Who is in the state, has an entry of its own: both
 * come and go in one transaction. Each one enters by itself, when nobody is in its way.
 * <p>
 * Who died is removed by whoever it is in the way of: from the queue at once, from the
 * holders only through a {@code lock} of its entry, which lock-delay guards.
 *
 * @param lock the lock, from the side it is looked at
 * @param entry the entry of the key, or {@code null} if there is none
 * @param members the entries of those who hold or wait, by their ids
 * @param read the ids that the state had when all was read: who came later has an entry
 * that was not looked at
 * @param delayed the ids of dead holders that lock-delay has turned out to guard still
 */
record ReadWriteEntries(ReadWriteSide lock, @Nullable KvEntry entry, Map<String, KvEntry> members, Set<String> read,
		Set<String> delayed) implements LockEntries {

	/** Of three operations each; Consul takes 64 in one transaction. */
	private static final int MAX_REMOVED = 18;

	static ReadWriteEntries read(ReadWriteSide lock, @Nullable KvEntry entry, Map<String, KvEntry> members) {
		ReadWriteState state = Objects.requireNonNullElse(ReadWriteState.of(entry), ReadWriteState.EMPTY);
		return new ReadWriteEntries(lock, entry, members, ids(state.all()), Set.of());
	}

	@Override
	public @Nullable Obstacle obstacle(@Nullable Claimant claimant) {
		ReadWriteState state = ReadWriteState.of(this.entry);
		if (claimant == null || state == null || this.lock.beside() != null) {
			return null;
		}
		if (claimant.patient() && !isWaiting(claimant, state)) {
			return null;
		}
		return state.inTheWayOf(member(claimant))
			.stream()
			.filter((other) -> !isDead(other))
			.findFirst()
			.map((other) -> new Obstacle(
					(state.isHolder(other.id()) ? "held by " : "waited for before by ") + description(other),
					this.lock.key()))
			.orElse(null);
	}

	private Member member(Claimant claimant) {
		return new Member(claimant.id(), this.lock.mode());
	}

	private boolean isWaiting(Claimant claimant, ReadWriteState state) {
		Member me = member(claimant);
		return state.isQueued(me.id()) && !isDead(me);
	}

	private boolean isDead(Member member) {
		KvEntry own = this.members.get(member.id());
		return (own != null) ? own.session() == null : this.read.contains(member.id());
	}

	private String description(Member member) {
		KvEntry own = this.members.get(member.id());
		return (own != null) ? HolderDescription.of(own) : "somebody who has just come";
	}

	@Override
	public Step approach(Claimant claimant) {
		ReadWriteState state = checkedState();
		Member me = member(claimant);
		Hold beside = this.lock.beside();
		if (beside != null) {
			if (!state.isHolder(beside.claimant().id())) {
				throw new LockLostException(beside.key(), beside.fencingToken(), loss(beside.claimant()));
			}
			return step(claimant, List.of(), state.withHolder(me), true);
		}
		List<Member> dead = new ArrayList<>(state.queue());
		dead.removeIf((member) -> member.equals(me) || !isDead(member));
		List<Member> inTheWay = state.inTheWayOf(me);
		inTheWay.removeAll(dead);
		// Who has to wait for lock-delay to be over, waits for it in the queue.
		boolean ready = inTheWay.isEmpty() || !claimant.patient() || isWaiting(claimant, state);
		boolean enters = ready && inTheWay.stream().allMatch(this::isDead);
		if (enters) {
			dead.addAll(inTheWay);
		}
		int necessary = dead.size();
		if (enters) {
			// Who reads beside the dead removes them, or they would become ever more.
			state.holders()
				.stream()
				.filter((member) -> isDead(member) && !dead.contains(member) && !member.equals(me))
				.filter((member) -> !this.delayed.contains(member.id()))
				.forEach(dead::add);
		}
		List<Member> removed = dead.subList(0, Math.min(dead.size(), MAX_REMOVED));
		ReadWriteState left = state.without(ids(removed));
		if (removed.size() < necessary && enters) {
			return step(claimant, removed, left, false);
		}
		ReadWriteState others = left.without(Set.of(me.id()));
		return step(claimant, removed, enters ? others.withHolder(me) : others.withQueued(me), enters);
	}

	private static Set<String> ids(List<Member> members) {
		return members.stream().map(Member::id).collect(Collectors.toSet());
	}

	/**
	 * The step to another state.
	 * @param removed the dead who are not in it any more
	 */
	private Step step(Claimant claimant, List<Member> removed, ReadWriteState next, boolean acquires) {
		String json = next.json();
		List<KvOperation> operations = new ArrayList<>();
		operations.add(check(this.lock.key(), this.entry));
		operations.add(KvOperation.set(this.lock.key(), json, LockFlags.READ_WRITE));
		ReadWriteState now = checkedState();
		for (Member dead : removed) {
			String key = this.lock.members() + dead.id();
			operations.add(check(key, this.members.get(dead.id())));
			if (now.isHolder(dead.id())) {
				operations.add(lock(key, claimant));
			}
			operations.add(KvOperation.delete(key));
		}
		String ownKey = this.lock.members() + claimant.id();
		boolean writesOwn = next.contains(claimant.id()) && (acquires || !isWaiting(claimant, now));
		if (writesOwn) {
			KvEntry own = this.members.get(claimant.id());
			operations.add(check(ownKey, own));
			if (claimant.owns(own)) {
				// Locked again as it is, it would keep its index, which is to be a token.
				operations
					.add(KvOperation.unlock(ownKey, claimant.session().id(), claimant.value(), LockFlags.READ_WRITE));
			}
			operations.add(lock(ownKey, claimant));
		}
		return new Step(operations, acquires, (applied) -> {
			long index = applied.index();
			Map<String, KvEntry> after = new HashMap<>(this.members);
			after.keySet().removeAll(ids(removed));
			if (writesOwn) {
				after.put(claimant.id(), new KvEntry(ownKey, claimant.value(), LockFlags.READ_WRITE,
						claimant.session().id(), index, index));
			}
			KvEntry state = new KvEntry(this.lock.key(), json, LockFlags.READ_WRITE, null, index, index);
			return new ReadWriteEntries(this.lock, state, after, this.read, this.delayed);
		});
	}

	private static KvOperation lock(String key, Claimant claimant) {
		return KvOperation.lock(key, claimant.session().id(), claimant.value(), LockFlags.READ_WRITE);
	}

	/** As if they lived; nothing can be done about those who are in the way. */
	@Override
	public @Nullable LockEntries avoiding(List<String> keys) {
		Set<String> ids = keys.stream()
			.map((key) -> key.substring(this.lock.members().length()))
			.collect(Collectors.toSet());
		boolean inTheWay = checkedState().holders()
			.stream()
			.anyMatch((holder) -> ids.contains(holder.id()) && holder.excludes(new Member("", this.lock.mode())));
		if (inTheWay || this.delayed.containsAll(ids)) {
			return null;
		}
		ids.addAll(this.delayed);
		return new ReadWriteEntries(this.lock, this.entry, this.members, this.read, ids);
	}

	private ReadWriteState checkedState() {
		ReadWriteState state = ReadWriteState.of(this.entry);
		if (state == null) {
			throw new LockConflictException("The key '" + this.lock.key() + "' holds something that is no read-write"
					+ " lock. It is not overwritten; use another key, or delete that entry if it is of no use");
		}
		return state;
	}

	@Override
	public long token(Claimant claimant) {
		ReadWriteState state = ReadWriteState.of(this.entry);
		KvEntry own = this.members.get(claimant.id());
		return (state != null && state.isHolder(claimant.id()) && own != null && claimant.owns(own)) ? own.modifyIndex()
				: 0;
	}

	/** But for a holder whose session has ended: lock-delay guards its place. */
	@Override
	public List<KvOperation> leave(Claimant claimant) {
		KvEntry own = this.members.get(claimant.id());
		ReadWriteState state = ReadWriteState.of(this.entry);
		if (own != null && !claimant.owns(own) && state != null && state.isHolder(claimant.id())) {
			return List.of();
		}
		List<KvOperation> operations = new ArrayList<>(4);
		if (own != null) {
			operations.add(KvOperation.checkIndex(own.key(), own.modifyIndex()));
			operations.add(KvOperation.deleteCas(own.key(), own.modifyIndex()));
		}
		if (this.entry != null && state != null && state.contains(claimant.id())) {
			ReadWriteState left = state.without(Set.of(claimant.id()));
			operations.add(check(this.entry.key(), this.entry));
			operations.add((left.isEmpty() && claimant.deleteOnRelease())
					? KvOperation.deleteCas(this.entry.key(), this.entry.modifyIndex())
					: KvOperation.set(this.entry.key(), left.json(), LockFlags.READ_WRITE));
		}
		return operations;
	}

	/**
	 * Whoever takes the claimant's place removes its entry; but where somebody deletes
	 * the entry of the key, others may come in beside it.
	 */
	@Override
	public List<KvOperation> guard(Claimant claimant) {
		String key = this.lock.members() + claimant.id();
		return List.of(check(this.lock.key(), this.entry), check(key, this.members.get(claimant.id())));
	}

	private static KvOperation check(String key, @Nullable KvEntry seen) {
		return (seen != null) ? KvOperation.checkIndex(key, seen.modifyIndex()) : KvOperation.checkNotExists(key);
	}

	@Override
	public LockEntries again(ConsulClient client, Duration timeout) {
		return this.lock.read(client, timeout);
	}

	@Override
	public LockLostReason loss(Claimant claimant) {
		ReadWriteState state = ReadWriteState.of(this.entry);
		boolean taken = state == null || (this.entry != null && !state.isHolder(claimant.id()));
		return taken ? LockLostReason.TAKEN_OVER : LockLostReason.KEY_DELETED;
	}

	@Override
	public LockEntries with(String key, KvSnapshot snapshot) {
		boolean isState = key.equals(this.lock.key());
		String id = isState ? "" : key.substring(this.lock.members().length());
		KvEntry known = isState ? this.entry : this.members.get(id);
		if (known != null && snapshot.index() <= known.modifyIndex()) {
			return this;
		}
		if (isState) {
			return new ReadWriteEntries(this.lock, snapshot.entry(), this.members, this.read, this.delayed);
		}
		Map<String, KvEntry> now = new HashMap<>(this.members);
		now.remove(id);
		if (snapshot.entry() != null) {
			now.put(id, snapshot.entry());
		}
		return new ReadWriteEntries(this.lock, this.entry, now, this.read, this.delayed);
	}

	@Override
	public @Nullable KvEntry lastSeen(String key) {
		return key.equals(this.lock.key()) ? this.entry : this.members.get(key.substring(this.lock.members().length()));
	}

	@Override
	public List<String> watched(Claimant claimant) {
		return List.of(this.lock.key(), this.lock.members() + claimant.id());
	}

	/** Those of this side. */
	@Override
	public List<KvEntry> holders() {
		ReadWriteState state = Objects.requireNonNullElse(ReadWriteState.of(this.entry), ReadWriteState.EMPTY);
		return state.holders()
			.stream()
			.filter((holder) -> holder.mode() == this.lock.mode())
			.map((holder) -> this.members.get(holder.id()))
			.filter((own) -> own != null && own.session() != null)
			.toList();
	}

	/**
	 * Of both sides. A dead holder's place is kept, since lock-delay guards it by its
	 * entry alone.
	 */
	@Override
	public List<KvOperation> destroy() {
		ReadWriteState state = checkedState();
		List<Member> present = new ArrayList<>(state.all());
		present.removeIf((member) -> state.isQueued(member.id()) && isDead(member));
		if (!present.isEmpty()) {
			Member first = present.get(0);
			throw new LockInUseException("The read-write lock '" + this.lock.key() + "' cannot be destroyed: it is "
					+ (state.isHolder(first.id()) ? "held by " : "waited for by ") + description(first)
					+ (isDead(first) ? ", whose session has ended; who acquires the write lock takes its place" : ""));
		}
		List<KvOperation> operations = new ArrayList<>();
		if (this.entry != null) {
			operations.add(check(this.entry.key(), this.entry));
			operations.add(KvOperation.delete(this.entry.key()));
		}
		this.members.values().stream().filter((left) -> left.session() == null).limit(MAX_REMOVED).forEach((left) -> {
			operations.add(check(left.key(), left));
			operations.add(KvOperation.delete(left.key()));
		});
		return operations;
	}

}
