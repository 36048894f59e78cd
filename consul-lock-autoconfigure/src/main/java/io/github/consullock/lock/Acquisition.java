package io.github.consullock.lock;

/**
 * What came of waiting for a lock.
 */
sealed interface Acquisition {

	/**
	 * It is held.
	 */
	record Acquired(Hold hold) implements Acquisition {
	}

	/**
	 * It was not to be had within the wait time.
	 *
	 * @param reason for whom or what it was waited
	 */
	record InVain(String reason) implements Acquisition {
	}

}
