package io.github.consullock.autoconfigure;

import io.github.consullock.ConsulUnavailableException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;
import org.springframework.util.StringUtils;

/**
 * Explains a lock taken during the start, without Consul.
 */
final class ConsulUnavailableFailureAnalyzer extends AbstractFailureAnalyzer<ConsulUnavailableException> {

	private final Environment environment;

	ConsulUnavailableFailureAnalyzer(Environment environment) {
		this.environment = environment;
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, ConsulUnavailableException cause) {
		return new FailureAnalysis(
				"A lock was needed while the application started, and Consul did not answer: " + cause.getMessage(),
				"Check that Consul runs, has a leader and can be reached from here, at " + address()
						+ ". To start without it, take the lock later than in the start; to run without it, as on a"
						+ " laptop or in a test, set consul.lock.mode=local.",
				cause);
	}

	private String address() {
		String url = this.environment.getProperty("consul.lock.connection.url");
		if (StringUtils.hasText(url)) {
			return PropertyChecks.withoutUser(url) + ", which consul.lock.connection.url says";
		}
		return this.environment.getProperty("spring.cloud.consul.host", "localhost") + ":"
				+ this.environment.getProperty("spring.cloud.consul.port", "8500")
				+ ", which spring.cloud.consul.host and port say where consul.lock.connection.url is not set";
	}

}
