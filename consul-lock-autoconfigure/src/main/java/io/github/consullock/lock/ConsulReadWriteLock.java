package io.github.consullock.lock;

import java.util.concurrent.locks.ReadWriteLock;

/**
 * A lock for many readers or one writer, among all processes that use the key. First
 * come, first served: neither readers nor writers starve. Obtained from a
 * {@link ConsulLockRegistry}; cheap, stateless, safe for use by several threads at once.
 * <p>
 * As {@link java.util.concurrent.locks.Lock Locks} both are owned by the thread and
 * reentrant. A thread that has locked for writing may lock for reading, and so come from
 * one to the other without letting anybody in between. The other way round is refused
 * with an {@link IllegalStateException}: two readers who both want to write would wait
 * for each other for ever.
 * <p>
 * By {@link io.github.consullock.LockHandle}, which belongs to no thread, there is
 * neither: acquiring is always a separate wait.
 *
 * @since 0.1.0
 */
public interface ConsulReadWriteLock extends ReadWriteLock {

	/**
	 * The full key in Consul, prefix included.
	 */
	String key();

	@Override
	ConsulLock readLock();

	@Override
	ConsulLock writeLock();

}
