package io.github.consullock.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains why locks inside one JVM do not do.
 */
final class LocalModeRefusedFailureAnalyzer extends AbstractFailureAnalyzer<LocalModeRefusedException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, LocalModeRefusedException cause) {
		return new FailureAnalysis(cause.getMessage() + ".",
				"Remove consul.lock.mode=local, or switch the registration off with"
						+ " spring.cloud.consul.discovery.register=false. If no other instance ever runs, set"
						+ " consul.lock.local.allow-registered=true.",
				cause);
	}

}
