package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;

/**
 * Where locks are obtained. One registry has one session in Consul, created when first
 * needed; all its holds live and die with that session. Safe for use by several threads
 * at once.
 * <p>
 * Nothing is asked of Consul before the first lock is acquired.
 *
 * @since 0.1.0
 */
public interface ConsulLockRegistry extends AutoCloseable {

	/**
	 * Starts building a registry.
	 * @param client the way to Consul; stays the caller's, to be closed after the
	 * registry
	 * @return a builder
	 */
	static ConsulLockRegistryBuilder builder(ConsulClient client) {
		return new ConsulLockRegistryBuilder(client);
	}

	/**
	 * The lock of a key, with the registry's settings. Asks nothing of Consul.
	 * @param key the key below the registry's prefix
	 * @return the lock
	 * @throws IllegalArgumentException if the key is none, see
	 * {@link LockOptions#checkKey}
	 */
	default ConsulLock obtain(String key) {
		return obtain(LockOptions.of(key));
	}

	/**
	 * The lock of a key, with settings of its own. Asks nothing of Consul.
	 * @param options the key, checked already, and what differs from the registry's
	 * settings
	 * @return the lock
	 */
	ConsulLock obtain(LockOptions options);

	/**
	 * The holds of this registry that are neither released nor lost, in no order.
	 */
	List<LockHandle> heldLocks();

	/**
	 * Runs a task under a lock.
	 * @param <T> what the task returns
	 * @param key the key below the registry's prefix
	 * @param waitTime how long to wait for the lock
	 * @param task what to run; the hold is its {@link LockHandle#current()}
	 * @return what the task returned
	 * @throws io.github.consullock.LockNotAcquiredException if the lock was not to be had
	 * @throws io.github.consullock.LockLostException if the lock was lost before the task
	 * ended; the task is not interrupted, and what it threw itself is the cause
	 * @throws Exception what the task threw
	 */
	<T> T executeLocked(String key, Duration waitTime, Callable<T> task) throws Exception;

	/**
	 * Takes no more locks, waits up to the shutdown timeout for those held to be
	 * released, cancels the rest ({@link io.github.consullock.LockLostReason#SHUTDOWN}),
	 * releases what has ended, and destroys the session; a hold whose work goes on in
	 * spite of all that keeps its key closed for lock-delay. While Consul does not
	 * answer, this takes some seconds more than the shutdown timeout.
	 * <p>
	 * A second call waits for the first to end. Not to be called by work under one of its
	 * locks, for which it would wait.
	 */
	@Override
	void close();

}
