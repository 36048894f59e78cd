package io.github.consullock.lock;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import org.jspecify.annotations.Nullable;

/**
 * Remembers for a moment which locks others wanted, too: for those, trying before looking
 * is mostly in vain.
 */
final class Contention {

	private static final long MOMENT_NANOS = 1_000_000_000L;

	private static final long RETURN_NANOS = LockProtocol.RETURN.toNanos();

	private static final int MAX_KEYS = 1000;

	/**
	 * When others wanted a lock.
	 *
	 * @param at the time, by the monotonic clock
	 * @param kind the lock
	 * @param entries as they were left when it was handed to one of them, or {@code null}
	 */
	private record Meeting(long at, LockKind kind, @Nullable LockEntries entries) {

		long age() {
			return System.nanoTime() - this.at;
		}

	}

	private final ConcurrentMap<String, Meeting> met = new ConcurrentHashMap<>();

	/** Others want this lock. */
	void met(LockKind kind) {
		note(new Meeting(System.nanoTime(), kind, null));
	}

	/**
	 * The lock was handed to one of them.
	 * @param entries as they are then
	 */
	void handedOver(LockKind kind, LockEntries entries) {
		// What is read first is never gone by.
		note(new Meeting(System.nanoTime(), kind, kind.isReadFirst() ? null : entries));
	}

	private void note(Meeting meeting) {
		if (this.met.size() >= MAX_KEYS) {
			this.met.values().removeIf((each) -> each.age() > MOMENT_NANOS);
		}
		if (this.met.size() < MAX_KEYS) {
			this.met.put(meeting.kind().key(), meeting);
		}
	}

	boolean isLikely(String key) {
		Meeting meeting = this.met.get(key);
		return meeting != null && meeting.age() <= MOMENT_NANOS;
	}

	/**
	 * What one who wants a lock again, right after this JVM has handed it to another,
	 * need not read: others may have changed it since, of which a watch from there tells.
	 * @return the entries, or {@code null} if there are none to go by
	 */
	@Nullable LockEntries sinceHandOver(LockKind kind) {
		Meeting meeting = this.met.get(kind.key());
		if (meeting == null || meeting.age() > RETURN_NANOS || !meeting.kind().equals(kind)) {
			return null;
		}
		return meeting.entries();
	}

}
