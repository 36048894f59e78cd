package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongFunction;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * The entries of one lock as they were last seen, and what follows from them: who may
 * try, with which operations, and how a holder leaves. All operations are bound to what
 * was seen, so that a copy which arrives late changes nothing. Immutable; asks nothing of
 * Consul.
 */
interface LockEntries {

	/**
	 * What keeps a claimant from trying.
	 * @param claimant who wants the lock, or {@code null} if it has no session yet
	 * @return what to wait for, or {@code null} if it may try now
	 */
	@Nullable Obstacle obstacle(@Nullable Claimant claimant);

	/**
	 * The next step of a claimant that nothing keeps from trying. Never a bare
	 * {@code lock}, which could slip past lock-delay.
	 * @throws LockConflictException if an entry is none of such a lock, so that it is
	 * never overwritten
	 */
	Step approach(Claimant claimant);

	/**
	 * What is left to try when some keys have turned out to be closed for lock-delay.
	 * @param delayed the keys that an attempt could not lock
	 * @return the entries to go on with, or {@code null} if there is nothing but to try
	 * the same again later
	 */
	default @Nullable LockEntries avoiding(List<String> delayed) {
		return null;
	}

	/**
	 * The fencing token of a claimant that holds the lock: the index of the write that
	 * acquired it, or of a later one that left it the holder.
	 * @return the token, or 0 if the entries do not show it as the holder
	 */
	long token(Claimant claimant);

	/**
	 * Takes everything away that the claimant has there, whether it holds the lock or
	 * not.
	 * @return the operations; none if there is nothing of it
	 */
	List<KvOperation> leave(Claimant claimant);

	/** Fails unless the claimant still holds the lock as these entries show. */
	List<KvOperation> guard(Claimant claimant);

	/**
	 * What a holder that leaves does for those who wait in Consul: hands the lock to the
	 * first, if there is one, or sees to it that none is overlooked.
	 * @param clock tells who is sure to have been running a moment ago
	 * @param open whether the lock is to be free for everybody instead, those included
	 * who do not queue up
	 */
	default Departing depart(Claimant claimant, IndexClock clock, boolean open) {
		return Departing.leaving(leave(claimant), this);
	}

	/** Whether somebody waits in Consul, as far as is known. */
	default boolean isWaitedFor() {
		return false;
	}

	/** Whether nobody waits where somebody did, as far as is known. */
	default boolean hasEmptyQueue() {
		return false;
	}

	/**
	 * Whether these cannot tell what one that waits in Consul is to do next, since too
	 * much has changed: they are to be read again.
	 */
	default boolean isOutdated(Claimant claimant) {
		return false;
	}

	/**
	 * Whether the lock was handed to a claimant that waits in Consul.
	 * @param since an index after which it has waited there
	 * @return the entries of the lock that it holds, or {@code null}
	 */
	default @Nullable LockEntries handedOver(Claimant claimant, long since) {
		return null;
	}

	/** These entries, with those of who waits as they are now. */
	default LockEntries withWaiting(ConsulClient client, Duration timeout) {
		return this;
	}

	/**
	 * These entries, with those of who waits as they are once somebody has come.
	 * @param since an index: whoever has come after it, has come
	 * @param wait how long to wait at most
	 */
	default LockEntries awaitWaiting(ConsulClient client, long since, Duration wait) {
		return this;
	}

	/** The entries as they are now, with those of who waits. */
	LockEntries again(ConsulClient client, Duration timeout);

	/**
	 * Moves the lock from its holder to a claimant of the same session, with a token of
	 * its own.
	 * @return the step, or {@code null} if this kind of lock cannot be handed over
	 */
	default @Nullable Step handOver(Claimant from, Claimant to) {
		return null;
	}

	/** Why a claimant that held the lock does not hold it any more. */
	LockLostReason loss(Claimant claimant);

	/**
	 * With an entry as it was seen since.
	 * @return other entries, or these if the snapshot is no news
	 */
	LockEntries with(String key, KvSnapshot snapshot);

	/** An entry as it is here, or {@code null} if it is not. */
	@Nullable KvEntry lastSeen(String key);

	/** The keys whose change may mean that a holder has lost the lock. */
	List<String> watched(Claimant claimant);

	/** The entries of those who hold the lock. */
	List<KvEntry> holders();

	/**
	 * Removes the entries of a lock that nobody holds.
	 * @return the operations; none if there is nothing
	 * @throws LockConflictException if an entry is none of such a lock
	 */
	List<KvOperation> destroy();

	/**
	 * What a claimant waits for.
	 *
	 * @param description for whom or what
	 * @param key the entry whose change may end it
	 * @param passing whether it may also end without a change, since it is lock-delay
	 */
	record Obstacle(String description, String key, boolean passing) {

		Obstacle(String description, String key) {
			this(description, key, false);
		}

	}

	/**
	 * How a holder leaves.
	 *
	 * @param operations of one transaction
	 * @param handsOver whether the lock is another's then, without ever being free
	 * @param after the entries that it leaves when it was applied as the write of an
	 * index, as far as that is of interest
	 */
	record Departing(List<KvOperation> operations, boolean handsOver, LongFunction<LockEntries> after) {

		/** Without handing over. */
		static Departing leaving(List<KvOperation> operations, LockEntries before) {
			return new Departing(operations, false, (index) -> before);
		}

	}

	/**
	 * What to ask of Consul next.
	 *
	 * @param operations of one transaction
	 * @param acquires whether it makes the claimant the holder
	 * @param after the entries, once it was applied
	 */
	record Step(List<KvOperation> operations, boolean acquires, Function<Applied, LockEntries> after) {
	}

	/**
	 * A transaction that was applied.
	 *
	 * @param index of the write; 0 if nothing but deletions was applied
	 * @param results the entries that it left or read
	 */
	record Applied(long index, List<KvEntry> results) {

		static Applied of(List<KvEntry> results) {
			long index = 0;
			for (KvEntry result : results) {
				index = Math.max(index, result.modifyIndex());
			}
			return new Applied(index, results);
		}

	}

}
