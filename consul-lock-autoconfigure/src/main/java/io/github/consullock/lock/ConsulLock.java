package io.github.consullock.lock;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

import io.github.consullock.LockHandle;

/**
 * A lock on a key in Consul, held by at most one holder among all processes that use the
 * key. Obtained from a {@link ConsulLockRegistry}; cheap, stateless, safe for use by
 * several threads at once. Two locks obtained for one key are the same lock.
 * <p>
 * There are two ways to hold it:
 * <ul>
 * <li>By a {@link LockHandle}, from {@link #acquire()} or {@link #tryAcquire(Duration)}.
 * It belongs to no thread and is not reentrant: acquiring a key again, even on the thread
 * that holds it, is a new and separate wait.</li>
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
public interface ConsulLock extends Lock {

	/**
	 * The full key in Consul, prefix included.
	 */
	String key();

	/**
	 * Waits for the lock, for the wait time of its options or else of the registry.
	 * @return the hold
	 * @throws io.github.consullock.LockNotAcquiredException if it was not to be had
	 * within that time, or the registry is closed
	 * @throws io.github.consullock.LockInterruptedException if the thread is interrupted;
	 * its flag is set again
	 */
	LockHandle acquire();

	/**
	 * Waits for the lock.
	 * @param waitTime how long at most; zero tries once,
	 * {@link io.github.consullock.LockOptions#FOREVER} waits for ever
	 * @return the hold, or empty if it was not to be had within that time, or the
	 * registry is closed
	 * @throws IllegalArgumentException if the wait time is null or negative
	 * @throws io.github.consullock.LockInterruptedException if the thread is interrupted;
	 * its flag is set again
	 */
	Optional<LockHandle> tryAcquire(Duration waitTime);

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
