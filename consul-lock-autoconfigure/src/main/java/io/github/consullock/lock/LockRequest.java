package io.github.consullock.lock;

import java.time.Duration;

/**
 * What is wanted of one lock, with all defaults filled in.
 *
 * @param key the full key
 * @param value what the entry shall hold while it is held
 * @param waitTime how long to wait
 * @param deleteOnRelease whether a release deletes the entry
 */
record LockRequest(String key, String value, Duration waitTime, boolean deleteOnRelease) {

	LockRequest waiting(Duration otherWaitTime) {
		return new LockRequest(this.key, this.value, otherWaitTime, this.deleteOnRelease);
	}

}
