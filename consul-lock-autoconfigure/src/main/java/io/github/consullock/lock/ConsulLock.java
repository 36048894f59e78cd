package io.github.consullock.lock;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

import io.github.consullock.LockHolder;

/**
 * A lock on a key in Consul, held by at most one holder among all processes that use the
 * key. Obtained from a {@link ConsulLockRegistry}; cheap, stateless, safe for use by
 * several threads at once. Two locks obtained for one key are the same lock.
 * <p>
 * There are two ways to hold it:
 * <ul>
 * <li>By a {@link io.github.consullock.LockHandle}, from {@link #acquire()} and its like.
 * It belongs to no thread and is not reentrant.</li>
 * <li>As a {@link Lock}: owned by the thread, reentrant.</li>
 * </ul>
 * Both exclude each other.
 * <p>
 * As a {@code Lock} that was lost, all its methods throw
 * {@link io.github.consullock.LockLostException} on the thread that held it, until that
 * thread has unlocked it.
 * <p>
 * All methods that acquire throw {@link io.github.consullock.ConsulUnavailableException}
 * when Consul did not answer within the wait time,
 * {@link io.github.consullock.ConsulRefusedException} at once when it refuses, and
 * {@link io.github.consullock.LockConflictException} when the key holds something that is
 * no lock.
 *
 * @since 0.1.0
 */
public interface ConsulLock extends Acquirable, Lock {

	/**
	 * All keys that are locked, in sorted order; of a single lock, just its
	 * {@link #key()}.
	 */
	List<String> keys();

	/**
	 * Whether anybody holds it now, in this process or another. Reads only; the answer
	 * may be out of date when it arrives.
	 */
	default boolean isLocked() {
		return holder().isPresent();
	}

	/**
	 * Who holds it now, in this process or another; of several keys, of the first that is
	 * held. Reads only; the answer may be out of date when it arrives.
	 * @return the holder, or empty if nobody holds it
	 */
	Optional<LockHolder> holder();

	/**
	 * Deletes the lock's entry, where one was left for later use. Harmless if there is
	 * none.
	 * @throws io.github.consullock.LockInUseException if somebody holds the lock, this
	 * process included
	 */
	void destroy();

	/**
	 * Waits for the lock for ever, and through interrupts; the flag is set again at the
	 * end. While Consul does not answer, it goes on trying.
	 * @throws io.github.consullock.LockNotAcquiredException if the registry is closed
	 * @throws io.github.consullock.LockLostException if the thread already held the lock
	 * and has lost it; {@link #unlock()} first
	 */
	@Override
	void lock();

	/**
	 * Ends one {@code lock()} of this thread; the outermost releases.
	 * @throws IllegalMonitorStateException if the thread does not hold the lock
	 * @throws io.github.consullock.LockLostException if the lock was lost; the thread
	 * does not hold it afterwards, and may lock again
	 */
	@Override
	void unlock();

	/**
	 * Not supported: a condition cannot be signalled between processes.
	 * @throws UnsupportedOperationException always
	 */
	@Override
	default Condition newCondition() {
		throw new UnsupportedOperationException("A lock in Consul has no conditions");
	}

}
