package io.github.consullock.benchmarks;

/**
 * Locks that are held.
 */
interface Holding extends AutoCloseable {

	/** How many, and what that takes of the process that holds them. */
	Sample sample();

	@Override
	void close() throws Exception;

}
