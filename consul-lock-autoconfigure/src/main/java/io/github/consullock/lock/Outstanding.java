package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What has begun and not ended, for whoever has to wait until nothing of it is left.
 *
 * @param <T> what it is; told apart by {@code equals}
 */
final class Outstanding<T> {

	private final Set<T> items = ConcurrentHashMap.newKeySet();

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition ended = this.lock.newCondition();

	void begin(T item) {
		this.items.add(item);
	}

	void end(T item) {
		this.items.remove(item);
		this.lock.lock();
		try {
			this.ended.signalAll();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** A copy of what there is now. */
	List<T> items() {
		return List.copyOf(this.items);
	}

	/**
	 * Waits until nothing is left, or the time is up. An interrupt ends the wait; the
	 * thread's flag is then set.
	 */
	void awaitNone(Duration timeout) {
		WaitBudget budget = WaitBudget.startingNow(timeout);
		this.lock.lock();
		try {
			while (!this.items.isEmpty() && !budget.isSpent()) {
				this.ended.awaitNanos(budget.remaining().toNanos());
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		finally {
			this.lock.unlock();
		}
	}

}
