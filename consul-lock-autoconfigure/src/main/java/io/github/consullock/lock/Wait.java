package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

/**
 * A wait for something to happen, or for some time to pass: by a thread, or without one.
 */
final class Wait {

	private final CompletableFuture<@Nullable Void> over = new CompletableFuture<>();

	private final Duration atMost;

	private Wait(Duration atMost) {
		this.atMost = atMost;
	}

	/** Until the event is there, in whatever way, but not longer than this. */
	static Wait until(CompletableFuture<?> event, Duration atMost) {
		Wait wait = new Wait(atMost);
		event.whenComplete((result, failure) -> wait.wake());
		return wait;
	}

	static Wait pause(Duration duration) {
		return new Wait(duration);
	}

	/** Ends it early; for any thread. */
	void wake() {
		this.over.complete(null);
	}

	/** Keeps the calling thread waiting. */
	void await() throws InterruptedException {
		try {
			this.over.get(this.atMost.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (TimeoutException ex) {
			wake();
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Has something run when it is over.
	 * @param timer ends it in time
	 * @param executor runs what comes next
	 */
	void then(Background timer, Executor executor, Runnable next) {
		if (!this.over.isDone()) {
			Future<?> alarm = timer.schedule(this::wake, this.atMost);
			this.over.whenComplete((result, failure) -> alarm.cancel(false));
		}
		this.over.whenComplete((result, failure) -> executor.execute(next));
	}

}
