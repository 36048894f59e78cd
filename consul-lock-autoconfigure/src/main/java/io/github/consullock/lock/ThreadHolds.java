package io.github.consullock.lock;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * Which locks a thread holds through {@link java.util.concurrent.locks.Lock}, and how
 * many times each. What a thread never unlocked is forgotten with the thread.
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
	private final ThreadLocal<@Nullable Map<Object, Entry>> entries = new ThreadLocal<>();

	void begin(Object lock, Hold hold) {
		Map<Object, Entry> mine = this.entries.get();
		if (mine == null) {
			mine = new HashMap<>();
			this.entries.set(mine);
		}
		mine.put(lock, new Entry(hold));
	}

	/**
	 * Counts one more if this thread holds the lock.
	 * @return whether it does
	 * @throws LockLostException if it did, and has lost it
	 */
	boolean reenter(Object lock) {
		Entry entry = find(lock);
		if (entry == null) {
			return false;
		}
		entry.hold.ensureHeld();
		entry.count++;
		return true;
	}

	/** Whether this thread holds the lock, or has not unlocked it since it was lost. */
	boolean isHolder(Object lock) {
		return find(lock) != null;
	}

	/**
	 * Counts one less, and releases at zero.
	 * @param lock what is held
	 * @param named how messages call it
	 * @throws IllegalMonitorStateException if this thread does not hold the lock
	 * @throws LockLostException if it did, and has lost it
	 */
	void exit(Object lock, ConsulLock named) {
		Entry entry = find(lock);
		if (entry == null) {
			throw new IllegalMonitorStateException(
					named + " is not held by the thread '" + Thread.currentThread().getName() + "'");
		}
		if (--entry.count > 0) {
			return;
		}
		remove(lock);
		if (!entry.hold.release()) {
			throw new LockLostException(entry.hold.key(), entry.hold.fencingToken(),
					entry.hold.lostReason().orElse(LockLostReason.SESSION_INVALIDATED));
		}
	}

	private @Nullable Entry find(Object lock) {
		Map<Object, Entry> mine = this.entries.get();
		return (mine != null) ? mine.get(lock) : null;
	}

	private void remove(Object lock) {
		Map<Object, Entry> mine = Objects.requireNonNull(this.entries.get());
		mine.remove(lock);
		if (mine.isEmpty()) {
			this.entries.remove();
		}
	}

}
