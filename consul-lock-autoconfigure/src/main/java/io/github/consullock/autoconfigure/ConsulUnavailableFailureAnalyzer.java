package io.github.consullock.autoconfigure;

import io.github.consullock.ConsulUnavailableException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains a lock taken during the start, without Consul.
 */
final class ConsulUnavailableFailureAnalyzer extends AbstractFailureAnalyzer<ConsulUnavailableException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, ConsulUnavailableException cause) {
		return new FailureAnalysis(
				"A lock was needed while the application started, and Consul did not answer: " + cause.getMessage(),
				"Check that Consul runs, has a leader and can be reached from here, at consul.lock.connection.url or"
						+ " else at spring.cloud.consul.scheme, host, port and path. To start without it, take the"
						+ " lock later than in the start; to run without it, as on a laptop or in a test, set"
						+ " consul.lock.mode=local.",
				cause);
	}

}
