package io.github.consullock.benchmarks;

/**
 * Threads that lock and unlock, without a pause.
 */
interface Load extends AutoCloseable {

	/**
	 * Has all threads wait between two pairs, so that no request of theirs is under way.
	 */
	void pause() throws Exception;

	/** Goes on, and counts. */
	void measure() throws Exception;

	/**
	 * Ends the threads.
	 * @return what was counted
	 */
	Sample finish() throws Exception;

	/** Ends the clients. */
	@Override
	void close() throws Exception;

}
