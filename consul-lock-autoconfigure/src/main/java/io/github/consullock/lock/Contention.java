package io.github.consullock.lock;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Remembers for a moment which locks others wanted, too: for those, trying before looking
 * is mostly in vain.
 */
final class Contention {

	private static final long MOMENT_NANOS = 1_000_000_000L;

	private static final int MAX_KEYS = 1000;

	private final ConcurrentMap<String, Long> met = new ConcurrentHashMap<>();

	/** Others want this lock. */
	void met(String key) {
		long now = System.nanoTime();
		if (this.met.size() >= MAX_KEYS) {
			this.met.values().removeIf((time) -> now - time > MOMENT_NANOS);
		}
		if (this.met.size() < MAX_KEYS) {
			this.met.put(key, now);
		}
	}

	boolean isLikely(String key) {
		Long time = this.met.get(key);
		return time != null && System.nanoTime() - time <= MOMENT_NANOS;
	}

}
