package io.github.consullock.session;

import io.github.consullock.LockLostReason;

/**
 * Told of the end of a keeper's sessions. Called on the keeper's threads, or on that of
 * somebody who asks for a session, so it must neither block nor throw.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface SessionListener {

	/**
	 * A session is over: told exactly once for each that began.
	 * @param session the session
	 * @param reason why
	 */
	void lost(ConsulSession session, LockLostReason reason);

}
