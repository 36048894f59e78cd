package io.github.consullock.autoconfigure;

import io.github.consullock.ConsulRefusedException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.env.Environment;

/**
 * Explains a lock taken during the start, which Consul did not allow.
 */
final class ConsulRefusedFailureAnalyzer extends AbstractFailureAnalyzer<ConsulRefusedException> {

	private final Environment environment;

	ConsulRefusedFailureAnalyzer(Environment environment) {
		this.environment = environment;
	}

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, ConsulRefusedException cause) {
		String keyPrefix = this.environment.getProperty("consul.lock.key-prefix", "locks/");
		return new FailureAnalysis(
				"A lock was needed while the application started, and Consul refused the request: "
						+ cause.getMessage(),
				"""
						Correct what the message names. Where Consul checks permissions, the token needs these rules at least:

						    key_prefix "%s" { policy = "write" }
						    session_prefix "" { policy = "write" }

						The second may name the agent's node instead of all nodes. The token is consul.lock.connection.token or \
						token-file, else the one of Consul discovery."""
					.formatted(keyPrefix),
				cause);
	}

}
