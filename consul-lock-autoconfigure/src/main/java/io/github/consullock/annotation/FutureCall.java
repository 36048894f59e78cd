package io.github.consullock.annotation;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call of a method that returns a future: waits for the lock, has the method run,
 * waits for what it returned, releases, and only then completes the caller's future.
 * Whatever else completes that one, such as a cancel, gives the call up.
 */
final class FutureCall {

	private static final Logger logger = LoggerFactory.getLogger(FutureCall.class);

	private final LockedCall call;

	private final CallerContext context = CallerContext.capture();

	private final CompletableFuture<@Nullable Object> result = new CompletableFuture<>();

	private final AtomicBoolean ended = new AtomicBoolean();

	/** What the call waits for, and cancels when it is given up. */
	private volatile @Nullable Future<?> awaited;

	FutureCall(LockedCall call) {
		this.call = call;
	}

	CompletableFuture<@Nullable Object> start() {
		this.result.whenComplete((value, failure) -> cancelAwaited());
		try {
			AsyncHold joined = AnnotatedHolds.join(this.call);
			if (joined != null) {
				run(joined);
			}
			else {
				CompletableFuture<LockHandle> acquisition = this.call.lock().acquireAsync();
				await(acquisition);
				CallThreads.whenComplete(acquisition, this::acquired);
			}
		}
		catch (RuntimeException | Error ex) {
			this.result.completeExceptionally(ex);
		}
		return this.result;
	}

	private void acquired(@Nullable LockHandle handle, @Nullable Throwable failure) {
		if (handle != null) {
			AsyncHold hold = AsyncHold.of(this.call, handle);
			if (this.result.isDone()) {
				end(hold, null, null);
			}
			else {
				run(hold);
			}
		}
		else if (failure instanceof LockNotAcquiredException inVain && !this.result.isDone()) {
			notAcquired(inVain);
		}
		else {
			complete(null, failure);
		}
	}

	private void notAcquired(LockNotAcquiredException failure) {
		AnnotatedHold.Outcome outcome = this.context.run(() -> {
			try {
				return new AnnotatedHold.Outcome(this.call.notAcquired(failure), null);
			}
			catch (Throwable ex) {
				return new AnnotatedHold.Outcome(null, ex);
			}
		});
		follow(outcome, this::complete);
	}

	private void run(AsyncHold hold) {
		AnnotatedHold.Outcome outcome = this.context.run(() -> hold.run(this.call));
		follow(outcome, (value, failure) -> end(hold, value, failure));
		if (this.call.isCancelledOnLoss()) {
			hold.onLost(() -> lost(hold));
		}
	}

	private void lost(AsyncHold hold) {
		// What goes on keeps the lock, which after a limit is still there to be given up.
		if (!cancelAwaited() && !this.ended.get()) {
			complete(null, hold.lost(null));
		}
	}

	private void follow(AnnotatedHold.Outcome outcome, BiConsumer<@Nullable Object, @Nullable Throwable> then) {
		Object returned = outcome.result();
		await((returned instanceof Future<?> future) ? future : null);
		if (returned instanceof CompletionStage<?> stage) {
			stage.whenComplete(then);
		}
		else if (returned instanceof Future<?> future) {
			CallThreads.await(future, then);
		}
		else {
			then.accept(returned, outcome.failure());
		}
	}

	private void await(@Nullable Future<?> future) {
		this.awaited = future;
		if (this.result.isDone()) {
			cancelAwaited();
		}
	}

	/** Whether there was something to cancel, and it is done. */
	private boolean cancelAwaited() {
		Future<?> future = this.awaited;
		if (future == null) {
			return false;
		}
		try {
			return future.cancel(true) || future.isDone();
		}
		catch (RuntimeException ex) {
			// As that of CompletableFuture.minimalCompletionStage().
			logger.debug("The future returned by {} cannot be cancelled", this.call.spec().method(), ex);
			return false;
		}
	}

	private void end(AsyncHold hold, @Nullable Object value, @Nullable Throwable failure) {
		if (!this.ended.compareAndSet(false, true)) {
			return;
		}
		hold.end().whenComplete((heldToTheEnd, releaseFailure) -> {
			if (Boolean.FALSE.equals(heldToTheEnd) && this.call.isCancelledOnLoss()) {
				complete(null, hold.lost(CallThreads.unwrap(failure)));
			}
			else {
				complete(value, (failure != null) ? failure : releaseFailure);
			}
		});
	}

	private void complete(@Nullable Object value, @Nullable Throwable failure) {
		if (failure != null) {
			this.result.completeExceptionally(failure);
		}
		else {
			this.result.complete(value);
		}
	}

}
