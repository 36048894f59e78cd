package io.github.consullock.lock;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * Which keys a thread holds through {@link java.util.concurrent.locks.Lock}, and how many
 * times each. What a thread never unlocked is forgotten with the thread.
 */
final class ThreadHolds {

	private static final class Entry {

		private final Hold hold;

		private int count = 1;

		Entry(Hold hold) {
			this.hold = hold;
		}

	}

	@SuppressWarnings("ThreadLocalUsage") // One for each registry.
	private final ThreadLocal<@Nullable Map<String, Entry>> entries = new ThreadLocal<>();

	void begin(Hold hold) {
		Map<String, Entry> mine = this.entries.get();
		if (mine == null) {
			mine = new HashMap<>();
			this.entries.set(mine);
		}
		mine.put(hold.key(), new Entry(hold));
	}

	/**
	 * Counts one more if this thread holds the key.
	 * @return whether it does
	 * @throws LockLostException if it did, and has lost it
	 */
	boolean reenter(String key) {
		Entry entry = find(key);
		if (entry == null) {
			return false;
		}
		entry.hold.ensureHeld();
		entry.count++;
		return true;
	}

	/** Whether this thread holds the key, or has not unlocked it since it was lost. */
	boolean isHolder(String key) {
		return find(key) != null;
	}

	/**
	 * Counts one less, and releases at zero.
	 * @throws IllegalMonitorStateException if this thread does not hold the key
	 * @throws LockLostException if it did, and has lost it
	 */
	void exit(String key) {
		Entry entry = find(key);
		if (entry == null) {
			throw new IllegalMonitorStateException(
					"The lock '" + key + "' is not held by the thread '" + Thread.currentThread().getName() + "'");
		}
		if (--entry.count > 0) {
			return;
		}
		remove(key);
		if (!entry.hold.release()) {
			throw new LockLostException(key, entry.hold.fencingToken(),
					entry.hold.lostReason().orElse(LockLostReason.SESSION_INVALIDATED));
		}
	}

	private @Nullable Entry find(String key) {
		Map<String, Entry> mine = this.entries.get();
		return (mine != null) ? mine.get(key) : null;
	}

	private void remove(String key) {
		Map<String, Entry> mine = Objects.requireNonNull(this.entries.get());
		mine.remove(key);
		if (mine.isEmpty()) {
			this.entries.remove();
		}
	}

}
