package io.github.consullock.benchmarks;

import java.util.Map;

/**
 * Loses locks.
 */
interface LossProbe extends AutoCloseable {

	/**
	 * Acquires a lock and has its session destroyed.
	 * @return what followed, and after how many nanoseconds from the moment at which the
	 * destruction was sent
	 */
	Map<String, Long> lose(String key) throws Exception;

	@Override
	void close() throws Exception;

}
