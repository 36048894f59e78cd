package io.github.consullock.session;

import java.time.Duration;

import io.github.consullock.LockException;

/**
 * Where the sessions of one or more keepers come from, and what keeps them. Safe for use
 * by several threads at once.
 */
interface SessionSource {

	/**
	 * Creates or finds a session. When this fails, nothing is left behind.
	 * @throws LockException if there is none to be had
	 */
	Found obtain();

	/**
	 * Has Consul confirm that a session lives.
	 * @return whether it does; if not, it has ended
	 * @throws LockException if there is no telling
	 */
	boolean confirm(String id);

	/**
	 * How long after one confirmation the next is due at the latest.
	 */
	Duration pause();

	/**
	 * A session is needed no more. Returns at once, unless the threads are shut down.
	 */
	void discard(String id);

	/**
	 * Finishes what {@link #discard} began, once the threads are shut down. An interrupt
	 * does not stop it, and is not lost.
	 */
	void finish();

	/**
	 * A session, as it begins.
	 *
	 * @param id its id
	 * @param confirmedAt when the request was sent whose answer confirmed it
	 * @param lease how long it may be relied on
	 * @param borrowed whether it is the caller's own
	 */
	record Found(String id, long confirmedAt, SessionLease lease, boolean borrowed) {
	}

}
