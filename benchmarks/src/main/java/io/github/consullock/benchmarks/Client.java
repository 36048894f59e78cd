package io.github.consullock.benchmarks;

/**
 * A contender's client, with connections and a session of its own.
 */
interface Client extends AutoCloseable {

	/**
	 * The lock of a key, for use by one thread.
	 */
	Mutex mutex(String key) throws Exception;

	@Override
	void close() throws Exception;

}
