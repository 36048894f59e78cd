package io.github.consullock.annotation;

import java.util.ArrayDeque;
import java.util.Deque;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * The holds that were acquired within one transaction and end with it, the newest first.
 */
final class TransactionHolds implements TransactionSynchronization {

	private static final Log logger = LogFactory.getLog(TransactionHolds.class);

	private final Deque<AnnotatedHold> holds = new ArrayDeque<>(2);

	private final AnnotatedHolds owner;

	private TransactionHolds(AnnotatedHolds owner) {
		this.owner = owner;
	}

	/**
	 * Whether a transaction is active on this thread whose completion can be waited for.
	 */
	static boolean isTransactionActive() {
		return TransactionSynchronizationManager.isActualTransactionActive()
				&& TransactionSynchronizationManager.isSynchronizationActive();
	}

	/**
	 * Keeps a hold until the present transaction has completed.
	 * @param hold a hold of this thread
	 */
	static void keep(AnnotatedHold hold) {
		AnnotatedHolds owner = AnnotatedHolds.keep(hold);
		TransactionHolds present = TransactionSynchronizationManager.getSynchronizations()
			.stream()
			.filter(TransactionHolds.class::isInstance)
			.map(TransactionHolds.class::cast)
			.findFirst()
			.orElse(null);
		if (present == null) {
			present = new TransactionHolds(owner);
			TransactionSynchronizationManager.registerSynchronization(present);
		}
		present.holds.push(hold);
	}

	/** Possibly on another thread, where a transaction manager of JTA has it so. */
	@Override
	public void afterCompletion(int status) {
		this.holds.forEach((hold) -> {
			if (!end(hold) && status != STATUS_ROLLED_BACK) {
				logger.warn("The lock '" + hold.handle().key() + "' (fencing token " + hold.handle().fencingToken()
						+ ") was lost by the time its transaction had ended, which may have been committed after"
						+ " somebody else had acquired the lock");
			}
		});
	}

	/** None keeps those that were acquired before it. */
	private boolean end(AnnotatedHold hold) {
		try {
			return this.owner.endKeeping(hold);
		}
		catch (RuntimeException ex) {
			logger.error("The lock '" + hold.handle().key() + "' was not released after its transaction", ex);
			return true;
		}
	}

}
