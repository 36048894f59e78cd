package io.github.consullock.lock;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ReadWriteState.Mode;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * One side of a read-write lock: reading, or writing. The entry of the key tells who
 * holds the lock and who waits for it, in order ({@link ReadWriteState}); each of them
 * has an entry of its own elsewhere, held by its session, by which others see whether it
 * still lives.
 *
 * @param key the full key
 * @param members where the entries of those who hold or wait are
 * @param mode which side
 * @param beside the hold of the other side whose holder comes down to reading, and so
 * waits for nobody; {@code null} for everybody else
 */
record ReadWriteSide(String key, String members, Mode mode, @Nullable Hold beside) implements LockKind {

	/**
	 * Creates one side of a lock.
	 * @param prefix the registry's
	 * @param key below it
	 */
	static ReadWriteSide of(String prefix, String key, Mode mode) {
		// Apart from those of 'key/more'.
		String members = prefix + LockOptions.RESERVED_SEGMENT + "/rw/" + key + "/.members/";
		return new ReadWriteSide(prefix + key, members, mode, null);
	}

	ReadWriteSide beside(Hold hold) {
		return new ReadWriteSide(this.key, this.members, this.mode, hold);
	}

	@Override
	public String description() {
		return ((this.mode == Mode.READ) ? "the read lock '" : "the write lock '") + this.key + "'";
	}

	@Override
	public List<String> keys() {
		return List.of(this.key);
	}

	/**
	 * Not that of the key, where a lock of another kind may be held for long. Who waits
	 * for nobody has a line of its own: those in the other may wait for the very hold
	 * beside.
	 */
	@Override
	public List<String> lines() {
		return List.of((this.beside != null) ? this.members + this.beside.claimant().id() : this.members);
	}

	@Override
	public boolean isExclusive() {
		return false;
	}

	@Override
	public boolean needsSessionApart() {
		return false;
	}

	@Override
	public boolean hasSeveralEntries() {
		return true;
	}

	@Override
	public Claimant claimant(ConsulSession session, LockRequest request) {
		return Claimant.of(session, UUID.randomUUID().toString(), request);
	}

	@Override
	public LockEntries unseen() {
		if (this.beside != null && this.beside.entries() instanceof ReadWriteEntries seen) {
			return new ReadWriteEntries(this, seen.entry(), seen.members(), seen.read(), seen.delayed());
		}
		return new ReadWriteEntries(this, null, Map.of(), Set.of(), Set.of());
	}

	@Override
	public ReadWriteEntries read(ConsulClient client, Duration timeout) {
		WaitBudget budget = WaitBudget.startingNow(timeout);
		KvEntry state = client.read(this.key, timeout).orElse(null);
		Map<String, KvEntry> found = new HashMap<>();
		for (KvEntry entry : client.list(this.members, budget.restOfReads())) {
			found.put(entry.key().substring(this.members.length()), entry);
		}
		return ReadWriteEntries.read(this, state, found);
	}

}
