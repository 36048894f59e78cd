package io.github.consullock.annotation;

import java.util.concurrent.Future;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;

/**
 * Runs a body whose work is done when it returns, on the thread that acquired the lock.
 */
final class BlockingExecution implements LockedExecution {

	private final ActiveTransactions transactions;

	BlockingExecution(ActiveTransactions transactions) {
		this.transactions = transactions;
	}

	@Override
	public @Nullable Object execute(LockedCall call) throws Throwable {
		AnnotatedHold joined = AnnotatedHolds.find(call);
		Object result = (joined != null) ? join(joined, call) : acquire(call);
		checkResult(result, call.spec());
		return result;
	}

	private static @Nullable Object join(AnnotatedHold hold, LockedCall call) throws Throwable {
		AnnotatedHold.Outcome outcome = hold.run(call);
		if (call.spec().onLost() == LossPolicy.CANCEL && hold.isLost()) {
			throw hold.lost(outcome.failure());
		}
		return outcome.get();
	}

	private @Nullable Object acquire(LockedCall call) throws Throwable {
		boolean outlastsBody = this.transactions.outlast(call);
		LockHandle handle;
		try {
			handle = call.lock().acquire();
		}
		catch (LockNotAcquiredException ex) {
			return call.notAcquired(ex);
		}
		AnnotatedHold.Outcome outcome;
		boolean heldToTheEnd;
		AnnotatedHold hold = hold(call, handle);
		try {
			if (outlastsBody) {
				this.transactions.keep(hold);
			}
			outcome = hold.run(call);
		}
		finally {
			AnnotatedHolds.remove();
			// Not before the handshake has ended: what follows is no longer the body.
			heldToTheEnd = hold.endUse();
		}
		if (!heldToTheEnd && call.spec().onLost() == LossPolicy.CANCEL) {
			throw hold.lost(outcome.failure());
		}
		return outcome.get();
	}

	private static AnnotatedHold hold(LockedCall call, LockHandle handle) {
		try {
			return AnnotatedHolds.add(call, handle, null);
		}
		catch (RuntimeException | Error ex) {
			handle.release();
			throw ex;
		}
	}

	private static void checkResult(@Nullable Object result, DistributedLockSpec spec) {
		if (!spec.checkResult() || result == null || !ReturnTypes.endLater(result.getClass())) {
			return;
		}
		if (!(result instanceof Future<?> future && future.isDone())) {
			throw new IllegalStateException(spec.method() + " returned a " + result.getClass().getName()
					+ " although it is declared to return Object: its work went on after the lock was released."
					+ " Wait for it in the method, or annotate the method that does the work");
		}
	}

}
