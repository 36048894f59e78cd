package io.github.consullock.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains why an application with annotated beans needs locks.
 */
final class LockingDisabledFailureAnalyzer extends AbstractFailureAnalyzer<LockingDisabledException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, LockingDisabledException cause) {
		return new FailureAnalysis(cause.getMessage() + ".",
				"Remove consul.lock.enabled=false. To run without Consul, as on a laptop or in a test, set"
						+ " consul.lock.mode=local: the methods then exclude each other inside this JVM.",
				cause);
	}

}
