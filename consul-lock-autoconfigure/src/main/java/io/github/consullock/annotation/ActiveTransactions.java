package io.github.consullock.annotation;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * What is done about a transaction that is active already when a call acquires its lock.
 * Loads nothing of Spring's transactions where they are not on the class path.
 */
final class ActiveTransactions {

	private static final String MANAGER = "org.springframework.transaction.support.TransactionSynchronizationManager";

	private final boolean present;

	private final Supplier<ActiveTransactionPolicy> policy;

	/**
	 * Creates what the calls of all annotated methods share.
	 * @param classLoader that of the beans
	 * @param policy asked at the first call within a transaction, and at each later one
	 */
	ActiveTransactions(@Nullable ClassLoader classLoader, Supplier<ActiveTransactionPolicy> policy) {
		this.present = ClassUtils.isPresent(MANAGER, classLoader);
		this.policy = policy;
	}

	/**
	 * Whether what a call acquires is to be kept beyond its body.
	 * @param call a call that is about to acquire its lock
	 * @return whether its hold is to be {@linkplain #keep kept}
	 * @throws IllegalStateException if it must not acquire within a transaction
	 */
	boolean outlast(LockedCall call) {
		if (!this.present || !TransactionHolds.isTransactionActive()) {
			return false;
		}
		if (this.policy.get() == ActiveTransactionPolicy.REFUSE) {
			throw new IllegalStateException(call.spec().method() + " may not acquire its lock '" + call.lock().key()
					+ "': a transaction is active already, and would commit after the release. Move @DistributedLock"
					+ " to the method that begins the transaction, or have the lock released after the transaction"
					+ " (consul.lock.transaction.if-active=release-after-completion)");
		}
		return true;
	}

	/**
	 * Keeps a hold of this thread until its present transaction has completed.
	 * @param hold the hold
	 */
	void keep(AnnotatedHold hold) {
		TransactionHolds.keep(hold);
	}

}
