package io.github.consullock.annotation;

/**
 * What becomes of a lock that an annotated method acquires on a thread on which a
 * transaction is active already: were it released when the method returns, another
 * process could go on before that transaction has committed.
 *
 * @since 0.1.0
 */
public enum ActiveTransactionPolicy {

	/**
	 * The lock is released after the transaction has committed or rolled back. Until then
	 * calls of the same key on that thread join it, and a loss rolls the transaction
	 * back.
	 */
	RELEASE_AFTER_COMPLETION,

	/**
	 * The call throws {@link IllegalStateException}.
	 */
	REFUSE

}
