package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a {@link KeyLock}.
 *
 * @param lock the lock
 * @param seen the entries as last seen, by their keys; what was absent or never looked at
 * is not there
 */
record KeyEntries(KeyLock lock, Map<String, KvEntry> seen) implements LockEntries {

	@Override
	public @Nullable Obstacle obstacle(@Nullable Claimant claimant) {
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
		List<KvOperation> operations = new ArrayList<>(3 * this.lock.keys().size());
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
					operations.add(unlock(claimant, key));
				}
			}
			operations.add(lock(claimant, key));
		}
		return new Step(operations, true, (index) -> heldBy(claimant, index));
	}

	private static KvOperation lock(Claimant claimant, String key) {
		return KvOperation.lock(key, claimant.session().id(), claimant.value(), LockFlags.LOCK);
	}

	private static KvOperation unlock(Claimant claimant, String key) {
		return KvOperation.unlock(key, claimant.session().id(), claimant.value(), LockFlags.LOCK);
	}

	private LockEntries heldBy(Claimant claimant, long index) {
		Map<String, KvEntry> held = new HashMap<>();
		for (String key : this.lock.keys()) {
			held.put(key, new KvEntry(key, claimant.value(), LockFlags.LOCK, claimant.session().id(), index));
		}
		return new KeyEntries(this.lock, held);
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
		List<KvOperation> operations = new ArrayList<>(2 * this.lock.keys().size());
		for (String key : this.lock.keys()) {
			KvEntry entry = this.seen.get(key);
			if (entry != null && claimant.owns(entry)) {
				operations.add(KvOperation.checkIndex(key, entry.modifyIndex()));
				operations.add(claimant.deleteOnRelease() ? KvOperation.deleteCas(key, entry.modifyIndex())
						: unlock(claimant, key));
			}
		}
		return operations;
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
		List<KvOperation> operations = List.of(KvOperation.checkIndex(entry.key(), entry.modifyIndex()),
				unlock(to, entry.key()), lock(to, entry.key()));
		return new Step(operations, true, (index) -> heldBy(to, index));
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
		KvEntry known = this.seen.get(key);
		if (known != null && snapshot.index() <= known.modifyIndex()) {
			return this;
		}
		Map<String, KvEntry> now = new HashMap<>(this.seen);
		now.remove(key);
		if (snapshot.entry() != null) {
			now.put(key, snapshot.entry());
		}
		return new KeyEntries(this.lock, now);
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
