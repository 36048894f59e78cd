package io.github.consullock.annotation;

import io.github.consullock.CurrentLockHandle;

import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;

/**
 * Rolls a transaction back, instead of letting it commit, when a lock was lost that its
 * thread runs under or that ends with it. Spring would commit a cancelled body that ended
 * with a checked exception, or returned.
 */
final class CommitCheck implements TransactionExecutionListener {

	@Override
	public void beforeCommit(TransactionExecution transaction) {
		CurrentLockHandle.ensureHeld();
		AnnotatedHolds.ensureKeptAreHeld();
	}

}
