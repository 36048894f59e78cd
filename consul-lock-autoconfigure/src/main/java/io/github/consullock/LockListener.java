package io.github.consullock;

import java.time.Duration;

/**
 * Told of every change of state of every lock of a registry: for metrics and logs. All
 * methods do nothing by default. They are called on the thread where the change happens,
 * by several at once, and must not block; what they throw is logged and never reaches a
 * lock.
 *
 * @since 0.1.0
 */
public interface LockListener {

	/**
	 * Somebody has to wait for a lock. Told at most once of each wait.
	 * @param key the full Consul key
	 */
	default void waiting(String key) {
	}

	/**
	 * A lock was acquired. Each such hold is told of exactly once more: as lost, released
	 * or handed over. That goes for one whose caller has left or that was lost before its
	 * caller could have it, too; the wait itself may then end with {@link #notAcquired}.
	 * @param handle the new hold
	 * @param waited how long it took, from the call
	 */
	default void acquired(LockHandle handle, Duration waited) {
	}

	/**
	 * A wait ended without the lock, whatever the reason.
	 * @param key the full Consul key
	 * @param waited how long it took, from the call
	 */
	default void notAcquired(String key, Duration waited) {
	}

	/**
	 * A held lock was lost.
	 * @param handle the hold that is no more
	 * @param reason why
	 */
	default void lost(LockHandle handle, LockLostReason reason) {
	}

	/**
	 * A lock was given up by its holder, and is free, or will be as soon as Consul can be
	 * told.
	 * @param handle the hold that is no more
	 * @param held how long it was held
	 */
	default void released(LockHandle handle, Duration held) {
	}

	/**
	 * A lock was given up by its holder, and moved on to the next waiter without ever
	 * being free.
	 * @param handle the hold that is no more
	 * @param held how long it was held
	 */
	default void handedOver(LockHandle handle, Duration held) {
	}

}
