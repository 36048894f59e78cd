package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.github.consullock.consul.KvSnapshot;
import org.jspecify.annotations.Nullable;

/**
 * Holds the latest snapshot of a key for the one thread that waits for a certain one.
 */
final class Mailbox implements Consumer<KvSnapshot> {

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition arrived = this.lock.newCondition();

	private @Nullable KvSnapshot latest;

	private boolean closed;

	@Override
	public void accept(KvSnapshot snapshot) {
		this.lock.lock();
		try {
			this.latest = snapshot;
			this.arrived.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Waits until the latest snapshot is a wanted one, and takes it: each is given out
	 * once, or who is too late for what it shows would find it again at once.
	 * @return that snapshot, or null when the time is up or the mailbox was closed
	 */
	@Nullable KvSnapshot await(Predicate<KvSnapshot> wanted, Duration timeout) throws InterruptedException {
		long remaining = timeout.toNanos();
		this.lock.lockInterruptibly();
		try {
			while (this.latest == null || !wanted.test(this.latest)) {
				if (remaining <= 0 || this.closed) {
					return null;
				}
				remaining = this.arrived.awaitNanos(remaining);
			}
			KvSnapshot found = this.latest;
			this.latest = null;
			return found;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Ends every wait. */
	void close() {
		this.lock.lock();
		try {
			this.closed = true;
			this.arrived.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

}
