package io.github.consullock.lock;

import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Tells how old a write can be at most, without any clock but this JVM's monotonic one:
 * whatever has a greater index than a write of ours was written after it.
 */
final class IndexClock {

	/** Enough for as long as an age matters. */
	private static final int SAMPLES = 32;

	private static final long PACE_NANOS = 250_000_000L;

	/** By index, when it was known to have been written already. */
	private final ConcurrentNavigableMap<Long, Long> samples = new ConcurrentSkipListMap<>();

	private volatile long lastSample = System.nanoTime() - PACE_NANOS;

	/** A write of this index was sent after this time, and is there now. */
	void wrote(long index, long sentAt) {
		if (index > 0 && sentAt - this.lastSample >= PACE_NANOS) {
			this.lastSample = sentAt;
			// Of another history, if an index goes backwards.
			this.samples.tailMap(index, false).clear();
			this.samples.put(index, sentAt);
			if (this.samples.size() > SAMPLES) {
				this.samples.pollFirstEntry();
			}
		}
	}

	/**
	 * The greatest age that a write of this index can have.
	 * @return nanoseconds; {@link Long#MAX_VALUE} if nothing is known
	 */
	long maxAge(long index) {
		var before = this.samples.lowerEntry(index);
		return (before != null) ? System.nanoTime() - before.getValue() : Long.MAX_VALUE;
	}

}
