package io.github.consullock.lock;

import java.time.Duration;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

/**
 * What is wanted of one lock, with all defaults filled in.
 *
 * @param kind the lock
 * @param value gives what the entry shall hold while it is held
 * @param deleteOnRelease whether a release deletes the entry
 * @param waitTime how long to wait
 * @param fair whether those go first who have waited before, also in other JVMs
 * @param holdAtLeast how long it stays closed for others at least
 * @param maxHold how long it may be held, or {@code null} if for ever
 */
record LockRequest(LockKind kind, Supplier<String> value, boolean deleteOnRelease, Duration waitTime, boolean fair,
		Duration holdAtLeast, @Nullable Duration maxHold) {

	String key() {
		return this.kind.key();
	}

	LockRequest of(LockKind otherKind) {
		return new LockRequest(otherKind, this.value, this.deleteOnRelease, this.waitTime, this.fair, this.holdAtLeast,
				this.maxHold);
	}

	LockRequest waiting(Duration otherWaitTime) {
		return new LockRequest(this.kind, this.value, this.deleteOnRelease, otherWaitTime, this.fair, this.holdAtLeast,
				this.maxHold);
	}

}
