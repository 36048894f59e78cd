package io.github.consullock.autoconfigure;

import io.github.consullock.annotation.DistributedLockDefinitionException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Explains an annotation that cannot be obeyed.
 */
final class DistributedLockDefinitionFailureAnalyzer
		extends AbstractFailureAnalyzer<DistributedLockDefinitionException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, DistributedLockDefinitionException cause) {
		return new FailureAnalysis(cause.description(), cause.action(), cause);
	}

}
