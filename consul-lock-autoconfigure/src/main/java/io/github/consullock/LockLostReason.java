package io.github.consullock;

/**
 * Why a held lock is held no longer, although nobody released it.
 *
 * @since 0.1.0
 */
public enum LockLostReason {

	/**
	 * Consul ended the session that held the lock: it was destroyed, its TTL ran out, a
	 * check it was bound to failed, or its node left.
	 */
	SESSION_INVALIDATED,

	/**
	 * No renewal succeeded until the local deadline. Consul may still regard the session
	 * as alive; this process may not rely on it.
	 */
	DEADLINE_PASSED,

	/**
	 * The lock's entry was deleted or released by somebody else.
	 */
	KEY_DELETED,

	/**
	 * The lock's entry belongs to another session.
	 */
	TAKEN_OVER,

	/**
	 * The lock was held for as long as it may be.
	 */
	MAX_HOLD_EXCEEDED,

	/**
	 * The registry was closed while the lock was held, and its holder did not end within
	 * the shutdown timeout.
	 */
	SHUTDOWN

}
