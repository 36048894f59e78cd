package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.consul.ConsulClient;

/**
 * A read-write lock: its two sides, and what a thread that holds the one may do with the
 * other.
 */
final class KeyedReadWriteLock implements ConsulReadWriteLock {

	private final ThreadHolds threadHolds;

	private final KeyedLock readLock;

	private final KeyedLock writeLock;

	/**
	 * Creates a lock.
	 * @param reading what is wanted of its one side
	 * @param writing what is wanted of the other
	 * @param threadHolds what threads hold, of all locks of the registry
	 */
	KeyedReadWriteLock(Engines engines, EngineSpec spec, ConsulClient client, LockRequest reading, LockRequest writing,
			ThreadHolds threadHolds) {
		this.threadHolds = threadHolds;
		this.readLock = new KeyedLock(engines, spec, client, reading, threadHolds) {

			@Override
			LockRequest ofThread(Duration waitTime) {
				return down(super.ofThread(waitTime));
			}

			@Override
			boolean isOwn() {
				return isHolder();
			}

		};
		this.writeLock = new KeyedLock(engines, spec, client, writing, threadHolds) {

			@Override
			LockRequest ofThread(Duration waitTime) {
				refuseUp();
				return super.ofThread(waitTime);
			}

			@Override
			boolean isOwn() {
				return isHolder();
			}

		};
	}

	@Override
	public String key() {
		return this.readLock.key();
	}

	@Override
	public ConsulLock readLock() {
		return this.readLock;
	}

	@Override
	public ConsulLock writeLock() {
		return this.writeLock;
	}

	/** From writing to reading: waits for nobody. */
	private LockRequest down(LockRequest reading) {
		Hold written = this.threadHolds.held(this.writeLock.identity());
		return (written != null && reading.kind() instanceof ReadWriteSide side) ? reading.of(side.beside(written))
				: reading;
	}

	/** From reading to writing: two who try would wait for each other for ever. */
	private void refuseUp() {
		if (this.threadHolds.isHolder(this.readLock.identity())) {
			throw new IllegalStateException("This thread holds " + this.readLock.kind().description()
					+ " and cannot lock for writing as well, since two such readers would wait for each other for"
					+ " ever; unlock the read lock first, or lock for writing from the start");
		}
	}

	private boolean isHolder() {
		return this.threadHolds.isHolder(this.readLock.identity())
				|| this.threadHolds.isHolder(this.writeLock.identity());
	}

	@Override
	public String toString() {
		return "The read-write lock '" + key() + "'";
	}

}
