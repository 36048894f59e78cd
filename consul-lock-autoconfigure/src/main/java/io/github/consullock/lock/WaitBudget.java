package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.LockOptions;

/**
 * How long somebody is willing to wait, counted from a moment on a monotonic clock.
 */
final class WaitBudget {

	/** About 146 years: adding it to a time of the clock cannot overflow. */
	private static final long FOREVER_NANOS = Long.MAX_VALUE / 2;

	private static final Duration SHORTEST_READ = Duration.ofMillis(200);

	private final Duration total;

	private final long start;

	private final long nanos;

	private WaitBudget(Duration total, long start) {
		this.total = total;
		this.start = start;
		this.nanos = isForever() ? FOREVER_NANOS : total.toNanos();
	}

	static WaitBudget startingNow(Duration total) {
		return new WaitBudget(total, System.nanoTime());
	}

	Duration total() {
		return this.total;
	}

	boolean isForever() {
		return this.total.compareTo(Duration.ofNanos(FOREVER_NANOS)) >= 0;
	}

	/** Whether only one attempt is wanted. */
	boolean isSingleAttempt() {
		return this.nanos == 0;
	}

	Duration elapsed() {
		return Duration.ofNanos(System.nanoTime() - this.start);
	}

	Duration remaining() {
		return Duration.ofNanos(Math.max(0, this.nanos - (System.nanoTime() - this.start)));
	}

	/** What the next of several reads may take: at least enough to be answered. */
	Duration restOfReads() {
		return isSpent() ? SHORTEST_READ : remaining();
	}

	boolean isSpent() {
		return remaining().isZero();
	}

	/** The shorter of this duration and what remains. */
	Duration limit(Duration duration) {
		Duration remaining = remaining();
		return (remaining.compareTo(duration) < 0) ? remaining : duration;
	}

	@Override
	public String toString() {
		return this.total.equals(LockOptions.FOREVER) ? "for ever" : this.total.toString();
	}

}
