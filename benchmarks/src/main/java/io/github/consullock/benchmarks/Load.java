package io.github.consullock.benchmarks;

/**
 * Threads that lock and unlock, without a pause.
 */
interface Load {

	/** Counts from now on. */
	void measure() throws Exception;

	/**
	 * Ends the threads.
	 * @return what was counted
	 */
	Sample finish() throws Exception;

}
