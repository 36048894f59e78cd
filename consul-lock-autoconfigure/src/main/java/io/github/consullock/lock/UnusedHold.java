package io.github.consullock.lock;

import io.github.consullock.LockHandle;

/**
 * A hold under which nothing was done, since whoever wanted it had left when it came. For
 * code that runs others under a lock, as that of {@code @DistributedLock} does; everybody
 * else releases what was acquired.
 *
 * @since 0.1.0
 */
public final class UnusedHold {

	private UnusedHold() {
	}

	/**
	 * Gives a hold up at once, also one that is to be held for some time at least:
	 * nothing was done that others should be kept from doing again. May block.
	 * @param handle the hold
	 */
	public static void discard(LockHandle handle) {
		if (handle instanceof Hold hold) {
			hold.discard();
		}
		else {
			handle.close();
		}
	}

}
