package io.github.consullock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * One hold of a lock, from its acquisition until it is released or lost.
 * <p>
 * A handle belongs to no thread: any thread may ask it and release it. All methods are
 * safe for use by several threads at once.
 * <p>
 * A hold that was lost stays lost. Acquiring the lock again gives a new handle with a
 * greater {@linkplain #fencingToken() fencing token}.
 *
 * @since 0.1.0
 */
public interface LockHandle extends AutoCloseable {

	/**
	 * The full key in Consul, prefix included.
	 */
	String key();

	/**
	 * All keys of this hold, in sorted order; of a single lock, just its {@link #key()}.
	 */
	List<String> keys();

	/**
	 * The fencing token of this hold: the {@code ModifyIndex} of the write that acquired
	 * it, fixed for the life of the hold. It rises with every acquisition of the key
	 * within one Consul cluster, so that a resource which refuses a token older than one
	 * it has seen never takes a write from a former holder.
	 */
	long fencingToken();

	/**
	 * Whether the lock is held now, as far as this process may rely on it: neither
	 * released nor lost, and before the local deadline. Asks nothing of Consul.
	 */
	boolean isHeld();

	/**
	 * The time to the local deadline if no further renewal succeeds; zero once released
	 * or lost.
	 */
	Duration remaining();

	/**
	 * Returns if the lock is held.
	 * @throws LockLostException if it was lost
	 * @throws IllegalStateException if it was released
	 */
	void ensureHeld();

	/**
	 * Has the callback called once, if and when this hold is lost; at once, on the
	 * calling thread, if it already is. Never called after a release. Otherwise it runs
	 * on a thread of its own, where it may block; what it throws is logged.
	 * @param callback receives the reason
	 */
	void onLost(Consumer<LockLostReason> callback);

	/**
	 * Gives the lock up. Does no harm when called twice. An interrupt does not keep it
	 * from releasing; the flag is left as it was. When Consul does not answer, the
	 * release goes on in the background until it is certain or the session has ended.
	 * @return {@code false} if the lock was lost before
	 */
	boolean release();

	/**
	 * Gives the lock up without keeping the calling thread waiting for Consul.
	 * @return completes with what {@link #release()} would have returned
	 */
	CompletableFuture<Boolean> releaseAsync();

	/**
	 * Writes an entry to Consul's key-value store, in one transaction with a check that
	 * the lock's entry is still that of this hold: no former or later holder can make
	 * this write, nor can a copy of it that is delayed on the way be applied after the
	 * hold has ended.
	 * @param key the full key of the entry to write, not below the registry's prefix
	 * @param value what to write, as UTF-8 text of at most 512 kB
	 * @throws LockLostException if the lock was lost; nothing was written
	 * @throws IllegalStateException if the lock was released; nothing was written
	 * @throws IllegalArgumentException if that is no key, or one of a lock's
	 * @throws ConsulUnavailableException if Consul does not answer: the entry may have
	 * been written, or may yet be as long as the hold lasts
	 * @throws ConsulRefusedException if Consul refuses
	 */
	void guardedPut(String key, String value);

	/**
	 * Releases the lock; never throws, not even for a loss.
	 */
	@Override
	void close();

	/**
	 * The innermost hold that the calling thread runs under: that of an annotated method,
	 * or of a task of {@code ConsulLockRegistry.executeLocked}. Not passed on to other
	 * threads, unless by Reactor's automatic context propagation, with the hold of a
	 * method that returns a publisher.
	 * @return the hold
	 * @throws IllegalStateException if the thread runs under none
	 */
	static LockHandle current() {
		return CurrentLockHandle.get()
			.orElseThrow(() -> new IllegalStateException(
					"No lock is held by a @DistributedLock method on this thread. A hold does not cross to other"
							+ " threads by itself: pass the LockHandle to them, and in the operators of a publisher use"
							+ " ReactiveLockHandle.current()"));
	}

}
