package io.github.consullock.lock;

import java.time.Duration;
import java.util.Collection;
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
	 * A lock with settings of its own, over one key or several. Asks nothing of Consul.
	 * @param options the keys, checked already, and what differs from the registry's
	 * settings
	 * @return the lock
	 * @throws IllegalArgumentException if its session and the registry's settings make no
	 * session: a lock-delay below the TTL, say, where the registry does not allow that
	 */
	ConsulLock obtain(LockOptions options);

	/**
	 * One lock over several keys: all are held, or none. Whoever waits for it holds none
	 * of them, so that no order of keys leads to a deadlock. Asks nothing of Consul.
	 * @param keys the keys below the registry's prefix; at least one, none twice
	 * @return the lock
	 * @throws IllegalArgumentException if a key is none, or there are more than
	 * {@value LockOptions#MAX_KEYS}, which is all that one transaction of Consul 1.14 or
	 * later takes; earlier ones take 31, and acquiring more fails there with
	 * {@link io.github.consullock.ConsulRefusedException}
	 */
	default ConsulLock obtainAll(Collection<String> keys) {
		return obtain(LockOptions.builder(keys).build());
	}

	/**
	 * A lock for a limited number of holders, with the registry's settings. Asks nothing
	 * of Consul.
	 * @param key the key below the registry's prefix
	 * @param limit how many may hold it at once, at least 1
	 * @return the semaphore
	 * @throws IllegalArgumentException if the key is none, or the limit is below 1
	 */
	default ConsulSemaphore semaphore(String key, int limit) {
		return semaphore(LockOptions.of(key), limit);
	}

	/**
	 * A lock for a limited number of holders, with settings of its own. Asks nothing of
	 * Consul.
	 * @param options the key, and what differs from the registry's settings
	 * @param limit how many may hold it at once, at least 1
	 * @return the semaphore
	 * @throws IllegalArgumentException if the limit is below 1, or the options have
	 * several keys or a session of the caller's own
	 */
	ConsulSemaphore semaphore(LockOptions options, int limit);

	/**
	 * A lock for many readers or one writer, with the registry's settings. Asks nothing
	 * of Consul.
	 * @param key the key below the registry's prefix
	 * @return the lock
	 * @throws IllegalArgumentException if the key is none
	 */
	default ConsulReadWriteLock readWriteLock(String key) {
		return readWriteLock(LockOptions.of(key));
	}

	/**
	 * A lock for many readers or one writer, with settings of its own. Asks nothing of
	 * Consul.
	 * @param options the key, and what differs from the registry's settings
	 * @return the lock
	 * @throws IllegalArgumentException if the options have several keys, or make no
	 * session
	 */
	ConsulReadWriteLock readWriteLock(LockOptions options);

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
