package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.ConsulUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once that somebody waits for a lock, once that it takes long, and once that Consul
 * does not answer, wherever the wait goes on. For use by one thread.
 */
final class WaitReport {

	private static final Logger logger = LoggerFactory.getLogger(WaitReport.class);

	private final LockRequest request;

	private final WaitBudget budget;

	private final Listeners listeners;

	private final Duration slowThreshold;

	private boolean waiting;

	private boolean slow;

	private boolean unavailable;

	WaitReport(LockRequest request, WaitBudget budget, LockParts parts) {
		this.request = request;
		this.budget = budget;
		this.listeners = parts.listeners();
		this.slowThreshold = parts.slowThreshold();
	}

	/**
	 * Still waiting.
	 * @param obstacle for whom or what
	 */
	void waiting(String obstacle) {
		if (!this.waiting) {
			this.waiting = true;
			this.listeners.tell((listener) -> listener.waiting(this.request.key()));
		}
		Duration elapsed = this.budget.elapsed();
		if (!this.slow && elapsed.compareTo(this.slowThreshold) >= 0) {
			this.slow = true;
			logger.warn("Waiting for {} for {} s already: {}", this.request.kind().description(), elapsed.toSeconds(),
					obstacle);
		}
	}

	/** Consul does not answer; said only where there is time to try again. */
	void unavailable(ConsulUnavailableException ex) {
		if (!this.unavailable && !this.budget.isSpent()) {
			this.unavailable = true;
			logger.warn("Cannot acquire {} now, trying again for {}: {}", this.request.kind().description(),
					this.budget.isForever() ? "ever" : this.budget.remaining().toMillis() + " ms", ex.getMessage());
		}
	}

}
