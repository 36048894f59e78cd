package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;

/**
 * Sees every {@link AcquireCall} to its end: on the thread that calls, or, for those that
 * want none to wait, step by step on threads of the background.
 */
final class Acquirer {

	private static final InVain CLOSED = new InVain("the registry is closed");

	private final LockParts parts;

	/** From before they queue up until their hold is known. */
	private final Outstanding<AcquireCall> calls = new Outstanding<>();

	/** What fails those whose caller does not wait, until their future is complete. */
	private final Outstanding<Runnable> futures = new Outstanding<>();

	private volatile boolean closed;

	Acquirer(LockParts parts) {
		this.parts = parts;
	}

	/**
	 * Waits for a lock.
	 * @throws InterruptedException if interrupted before or while waiting; nothing is
	 * held then, and what was under way is settled in the background
	 * @throws io.github.consullock.LockException if Consul refuses, did not answer within
	 * the wait time, or the key is no lock
	 */
	Acquisition acquire(LockRequest request) throws InterruptedException {
		if (Thread.interrupted()) {
			throw new InterruptedException();
		}
		AcquireCall call = begin(request);
		try {
			Wait wait;
			while ((wait = call.advance()) != null) {
				wait.await();
			}
			return call.result();
		}
		finally {
			end(call);
		}
	}

	/**
	 * Waits for a lock without a thread.
	 * @param inVain what the future fails with when the lock was not to be had
	 * @return completes on a thread of the background; may be cancelled
	 */
	CompletableFuture<LockHandle> acquireAsync(LockRequest request, Function<InVain, RuntimeException> inVain) {
		CompletableFuture<LockHandle> future = new CompletableFuture<>();
		Runnable abandonment = () -> future.completeExceptionally(inVain.apply(CLOSED));
		this.futures.begin(abandonment);
		AcquireCall call = begin(request);
		future.whenComplete((handle, failure) -> {
			this.futures.end(abandonment);
			call.wake();
		});
		call.enter();
		this.parts.background().step(() -> goOn(call, future, inVain));
		if (this.closed) {
			// Steps may not run any more.
			abandonment.run();
		}
		return future;
	}

	private void goOn(AcquireCall call, CompletableFuture<LockHandle> future,
			Function<InVain, RuntimeException> inVain) {
		Acquisition result;
		try {
			boolean unwanted = future.isDone();
			Wait wait = unwanted ? null : call.advance();
			if (wait != null) {
				if (future.isDone()) {
					wait.wake();
				}
				wait.then(this.parts.background(), this.parts.background()::step, () -> goOn(call, future, inVain));
				return;
			}
			result = unwanted ? CLOSED : call.result();
		}
		catch (InterruptedException ex) {
			result = CLOSED;
		}
		catch (Throwable ex) {
			end(call);
			complete(() -> future.completeExceptionally(ex));
			return;
		}
		end(call);
		if (result instanceof Acquired acquired) {
			complete(() -> give(acquired.hold(), future));
		}
		else {
			RuntimeException failure = inVain.apply((InVain) result);
			complete(() -> future.completeExceptionally(failure));
		}
	}

	/** Not on the thread of a step: what depends on the future may block. */
	private void complete(Runnable completion) {
		this.parts.background().execute(completion);
	}

	private static void give(Hold hold, CompletableFuture<LockHandle> future) {
		if (!future.complete(hold)) {
			hold.discard();
		}
	}

	private AcquireCall begin(LockRequest request) {
		AcquireCall call = new AcquireCall(this.parts, request);
		this.calls.begin(call);
		if (this.closed) {
			call.cancel();
		}
		return call;
	}

	private void end(AcquireCall call) {
		try {
			call.end();
		}
		finally {
			this.calls.end(call);
		}
	}

	/** Whether no call is under way. */
	boolean isIdle() {
		return this.calls.items().isEmpty();
	}

	/**
	 * From now on nothing is acquired; waits under way end in vain. Calls under way are
	 * waited for, for a while: what they acquire is released then.
	 */
	void close(Duration grace) {
		this.closed = true;
		this.calls.items().forEach(AcquireCall::cancel);
		this.parts.queues().cancelAll();
		this.calls.awaitNone(grace);
	}

	/**
	 * Fails the futures that are not complete: of calls that did not end in time, or that
	 * are just about to say that the registry is closed.
	 */
	void abandon() {
		this.futures.items().forEach(Runnable::run);
	}

}
