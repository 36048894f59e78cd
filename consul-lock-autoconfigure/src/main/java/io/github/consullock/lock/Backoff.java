package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Pauses between attempts: 50 ms at first, doubled each time up to 1 s, less up to a
 * fifth of each so that many do not try in step. For use by one thread.
 */
final class Backoff {

	private static final long FIRST_MILLIS = 50;

	private static final long LAST_MILLIS = 1000;

	private long millis = FIRST_MILLIS;

	/** Whether there was no pause yet. */
	boolean isFirst() {
		return this.millis == FIRST_MILLIS;
	}

	void reset() {
		this.millis = FIRST_MILLIS;
	}

	/** The length of the next pause. */
	Duration next() {
		long pause = this.millis - ThreadLocalRandom.current().nextLong(this.millis / 5);
		this.millis = Math.min(2 * this.millis, LAST_MILLIS);
		return Duration.ofMillis(pause);
	}

	void pause() throws InterruptedException {
		Thread.sleep(next().toMillis());
	}

}
