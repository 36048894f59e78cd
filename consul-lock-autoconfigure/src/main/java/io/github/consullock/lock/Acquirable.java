package io.github.consullock.lock;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;

/**
 * What can be held by a {@link LockHandle}: a lock, or a permit of a semaphore. A handle
 * belongs to no thread and is not reentrant: acquiring again, even on the thread that
 * holds, is a new and separate wait.
 * <p>
 * Whoever acquires gets {@link io.github.consullock.ConsulUnavailableException} when
 * Consul did not answer within the wait time,
 * {@link io.github.consullock.ConsulRefusedException} at once when it refuses, and
 * {@link io.github.consullock.LockConflictException} when the key holds something else.
 *
 * @since 0.1.0
 */
public interface Acquirable {

	/**
	 * The full key in Consul, prefix included; of several, the first in sorted order.
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
	 * @return the hold
	 * @throws IllegalArgumentException if the wait time is null or negative
	 * @throws io.github.consullock.LockNotAcquiredException if it was not to be had
	 * within that time, or the registry is closed
	 * @throws io.github.consullock.LockInterruptedException if the thread is interrupted;
	 * its flag is set again
	 */
	LockHandle acquire(Duration waitTime);

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
	 * Waits for the lock as {@link #acquire()} does, without a thread that waits.
	 * @return see {@link #acquireAsync(Duration)}
	 */
	CompletableFuture<LockHandle> acquireAsync();

	/**
	 * Waits for the lock without a thread that waits. Cancelling the future ends the wait
	 * and leaves nothing behind; a hold that comes too late for it is released.
	 * @param waitTime how long at most; zero tries once,
	 * {@link io.github.consullock.LockOptions#FOREVER} waits for ever
	 * @return completes with the hold, or with the exception that
	 * {@link #acquire(Duration)} would have thrown, on a thread where its dependents may
	 * block
	 * @throws IllegalArgumentException if the wait time is null or negative
	 */
	CompletableFuture<LockHandle> acquireAsync(Duration waitTime);

}
