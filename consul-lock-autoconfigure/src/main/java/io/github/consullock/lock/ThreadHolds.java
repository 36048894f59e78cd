package io.github.consullock.lock;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * Which thread holds which key through {@link java.util.concurrent.locks.Lock}, and how
 * many times.
 */
final class ThreadHolds {

	private record Owner(String key, Thread thread) {
	}

	/** Changed by the owning thread only. */
	private static final class Entry {

		private final Hold hold;

		private int count = 1;

		Entry(Hold hold) {
			this.hold = hold;
		}

	}

	private final ConcurrentMap<Owner, Entry> entries = new ConcurrentHashMap<>();

	void begin(Hold hold) {
		this.entries.put(owner(hold.key()), new Entry(hold));
	}

	/**
	 * Counts one more if this thread holds the key.
	 * @return whether it does
	 * @throws LockLostException if it did, and has lost it
	 */
	boolean reenter(String key) {
		Entry entry = this.entries.get(owner(key));
		if (entry == null) {
			return false;
		}
		entry.hold.ensureHeld();
		entry.count++;
		return true;
	}

	/**
	 * Counts one less, and releases at zero.
	 * @throws IllegalMonitorStateException if this thread does not hold the key
	 * @throws LockLostException if it did, and has lost it
	 */
	void exit(String key) {
		Owner owner = owner(key);
		@Nullable Entry entry = this.entries.get(owner);
		if (entry == null) {
			throw new IllegalMonitorStateException(
					"The lock '" + key + "' is not held by the thread '" + Thread.currentThread().getName() + "'");
		}
		if (--entry.count > 0) {
			return;
		}
		this.entries.remove(owner);
		if (!entry.hold.release()) {
			throw new LockLostException(key, entry.hold.fencingToken(),
					entry.hold.lostReason().orElse(LockLostReason.SESSION_INVALIDATED));
		}
	}

	private static Owner owner(String key) {
		return new Owner(key, Thread.currentThread());
	}

}
