package io.github.consullock.webflux;

import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.ReactiveLockHandle;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.core.scheduler.Schedulers;

/**
 * What a request has to do under its lock: it begins on a thread that may block, and ends
 * when a test says so, on one that may not.
 */
public final class Work {

	final CompletableFuture<LockHandle> started = new CompletableFuture<>();

	final CompletableFuture<String> end = new CompletableFuture<>();

	/** How it ended, unless it failed. */
	final CompletableFuture<SignalType> outcome = new CompletableFuture<>();

	/** Whether the thread on which it ended may not block. */
	volatile boolean endedWithoutBlocking;

	/**
	 * The work, under the hold of the Reactor context.
	 * @return emits what the test says
	 */
	public Mono<String> publish() {
		return ReactiveLockHandle.current().flatMap(this::publish);
	}

	/**
	 * The work.
	 * @param handle the hold that it runs under
	 * @return emits what the test says
	 */
	public Mono<String> publish(LockHandle handle) {
		return Mono.fromFuture(this.end)
			.publishOn(Schedulers.parallel())
			.doOnSubscribe((subscription) -> this.started.complete(handle))
			.doFinally(this::ended);
	}

	private void ended(SignalType how) {
		this.endedWithoutBlocking = Schedulers.isInNonBlockingThread();
		this.outcome.complete(how);
	}

}
