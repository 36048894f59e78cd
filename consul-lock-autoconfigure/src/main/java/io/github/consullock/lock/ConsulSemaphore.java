package io.github.consullock.lock;

import java.util.List;

import io.github.consullock.LockHolder;

/**
 * So many permits among all processes that use the key: a lock for a limited number of
 * holders. A permit is a {@link io.github.consullock.LockHandle}, with a fencing token
 * and lost like a lock. In Consul it is the same as a semaphore of the Go client, so that
 * both share one limit. Obtained from a {@link ConsulLockRegistry}; cheap, stateless,
 * safe for use by several threads at once.
 * <p>
 * Whoever uses the key with another limit gets
 * {@link io.github.consullock.LockConflictException}, which names both.
 *
 * @since 0.1.0
 */
public interface ConsulSemaphore extends Acquirable {

	/**
	 * How many may hold a permit at once.
	 */
	int limit();

	/**
	 * Who holds permits now. Reads only; the answer may be out of date when it arrives.
	 */
	List<LockHolder> holders();

	/**
	 * Deletes the semaphore's entry in Consul, and what dead holders left. Harmless if
	 * there is none.
	 * @throws io.github.consullock.LockInUseException if somebody holds a permit
	 */
	void destroy();

}
