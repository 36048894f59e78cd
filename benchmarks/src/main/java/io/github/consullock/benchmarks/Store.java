package io.github.consullock.benchmarks;

import java.net.URI;

import org.jspecify.annotations.Nullable;

/**
 * A server that keeps locks, running for this run alone.
 */
interface Store extends AutoCloseable {

	StoreKind kind();

	/** Where it is, for clients. */
	URI address();

	String version();

	/**
	 * What it has done since it started, or {@code null} where that is not counted.
	 */
	default @Nullable Work work() throws Exception {
		return null;
	}

	@Override
	void close();

	/**
	 * What a server has done.
	 *
	 * @param requests those answered, but for those that ask for this
	 * @param writes to its log
	 */
	record Work(long requests, long writes) {
	}

}
