package io.github.consullock.annotation;

import java.util.Collections;
import java.util.List;
import java.util.TreeSet;

import io.github.consullock.lock.ConsulLockRegistry;

/**
 * What a hold by annotated methods holds, for calls that may join it.
 *
 * @param registry where it was acquired
 * @param keys the full keys in Consul
 * @param limit how many may hold them at once, or 0 if they are locked
 */
record HeldKeys(ConsulLockRegistry registry, List<String> keys, int limit) {

	static HeldKeys of(LockedCall call) {
		return new HeldKeys(call.registry(), call.keys(), call.spec().terms().limit());
	}

	/**
	 * Whether a call needs some of what is held here.
	 * @param call the call
	 * @return whether it would wait for this hold
	 */
	boolean overlap(LockedCall call) {
		return this.registry == call.registry() && this.limit == call.spec().terms().limit()
				&& !Collections.disjoint(this.keys, call.keys());
	}

	/**
	 * Has a call join that {@linkplain #overlap overlaps}.
	 * @param call the call
	 * @throws IllegalStateException if it needs more than is held here
	 */
	void checkCover(LockedCall call) {
		if (!this.keys.containsAll(call.keys())) {
			throw new IllegalStateException(call.spec().method() + " is to be called under the keys " + call.keys()
					+ ", of which a method around it, or before it in a transaction, holds only a part, "
					+ new TreeSet<>(this.keys)
					+ ": it would wait for its own caller. Have the method around it lock all of them, by 'keys'");
		}
	}

}
