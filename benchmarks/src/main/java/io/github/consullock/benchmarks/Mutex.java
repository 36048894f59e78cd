package io.github.consullock.benchmarks;

/**
 * A lock as one thread uses it.
 */
interface Mutex {

	/** Waits until it is held. */
	void lock() throws Exception;

	void unlock() throws Exception;

}
