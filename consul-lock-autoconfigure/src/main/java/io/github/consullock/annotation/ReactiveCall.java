package io.github.consullock.annotation;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;

/**
 * One subscription of a call of a reactive method: waits for the lock, has the method
 * run, subscribes to what it returned, and releases when that has ended or was cancelled.
 * The end, but not the elements before it, reaches the subscriber after the release.
 */
final class ReactiveCall {

	private final LockedCall call;

	private final ContextView subscriber;

	private final CallerContext context;

	/** Completes when it is certain what is held. */
	private final CompletableFuture<AsyncHold> hold = new CompletableFuture<>();

	private volatile @Nullable CompletableFuture<LockHandle> acquisition;

	private volatile boolean ended;

	private volatile @Nullable LockLostException lossAtTheEnd;

	private ReactiveCall(LockedCall call, ContextView subscriber) {
		this.call = call.later();
		this.subscriber = subscriber;
		this.context = CallerContext.capture(subscriber);
	}

	static Mono<Object> mono(LockedCall call) {
		return Mono.deferContextual((context) -> {
			ReactiveCall subscription = new ReactiveCall(call, context);
			return Mono
				.usingWhen(Mono.just(subscription), (self) -> self.work().flatMap((work) -> Mono.from(work.get())),
						ReactiveCall::complete, (self, failure) -> self.end().onErrorComplete(), ReactiveCall::end)
				.onErrorMap(subscription::failure);
		});
	}

	static Flux<Object> flux(LockedCall call) {
		return Flux.deferContextual((context) -> {
			ReactiveCall subscription = new ReactiveCall(call, context);
			return Flux
				.usingWhen(Mono.just(subscription), (self) -> self.work().flatMapMany(Supplier::get),
						ReactiveCall::complete, (self, failure) -> self.end().onErrorComplete(), ReactiveCall::end)
				.onErrorMap(subscription::failure);
		});
	}

	/** What is to be done once the lock is held, or was not to be had. */
	private Mono<Supplier<Publisher<Object>>> work() {
		return Mono.create(this::acquire)
			.<Supplier<Publisher<Object>>>map((acquired) -> () -> run(acquired))
			.onErrorResume(LockNotAcquiredException.class, (ex) -> Mono.just(() -> notAcquired(ex)));
	}

	private void acquire(MonoSink<AsyncHold> sink) {
		try {
			AsyncHold joined = join();
			if (joined != null) {
				arrived(joined, null, sink);
				return;
			}
			CompletableFuture<LockHandle> acquisition = this.call.lock().acquireAsync();
			this.acquisition = acquisition;
			if (this.ended) {
				acquisition.cancel(true);
			}
			CallThreads.whenComplete(acquisition, (handle,
					failure) -> arrived((handle != null) ? AsyncHold.of(this.call, handle) : null, failure, sink));
		}
		catch (RuntimeException | Error ex) {
			arrived(null, ex, sink);
		}
	}

	private @Nullable AsyncHold join() {
		for (Holds holds = Holds.of(this.subscriber); holds != null; holds = holds.outer) {
			if (holds.hold.keys().overlap(this.call)) {
				AsyncHold joined = holds.hold.join(this.call);
				if (joined != null) {
					return joined;
				}
			}
		}
		return AnnotatedHolds.join(this.call);
	}

	private void arrived(@Nullable AsyncHold hold, @Nullable Throwable failure, MonoSink<AsyncHold> sink) {
		if (hold != null) {
			this.hold.complete(hold);
			sink.success(hold);
			return;
		}
		Throwable reason = (failure != null) ? failure : new IllegalStateException("No hold was acquired");
		this.hold.completeExceptionally(reason);
		if (!this.ended) {
			sink.error(reason);
		}
	}

	private Publisher<Object> run(AsyncHold hold) {
		AnnotatedHold.Outcome outcome = this.context.run(() -> hold.run(this.call));
		Publisher<Object> body = publisher(outcome);
		Function<Context, Context> withHold = (context) -> Holds.add(hold, this.call.isCancelledOnLoss(), context);
		if (body instanceof Mono<Object> mono) {
			return (this.call.isCancelledOnLoss() ? mono.takeUntilOther(loss(hold)) : mono).contextWrite(withHold);
		}
		Flux<Object> flux = Flux.from(body);
		return (this.call.isCancelledOnLoss() ? flux.takeUntilOther(loss(hold)) : flux).contextWrite(withHold);
	}

	/** Ends the body early; the release then tells why. */
	private static Mono<Object> loss(AsyncHold hold) {
		return Mono.create((sink) -> hold.onLost(sink::success));
	}

	private Publisher<Object> notAcquired(LockNotAcquiredException failure) {
		return publisher(this.context.run(() -> {
			try {
				return new AnnotatedHold.Outcome(this.call.notAcquired(failure), null);
			}
			catch (Throwable ex) {
				return new AnnotatedHold.Outcome(null, ex);
			}
		}));
	}

	private Publisher<Object> publisher(AnnotatedHold.Outcome outcome) {
		if (outcome.failure() != null) {
			return Mono.error(outcome.failure());
		}
		Object returned = outcome.result();
		// What a suspend function is replaced with may be a plain value, or a Flow.
		ReactiveAdapter adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(null, returned);
		return (adapter != null) ? adapter.toPublisher(returned) : Mono.justOrEmpty(returned);
	}

	private Mono<Boolean> complete() {
		return end().flatMap((heldToTheEnd) -> {
			if (heldToTheEnd || !this.call.isCancelledOnLoss()) {
				return Mono.empty();
			}
			LockLostException lost = this.hold.join().lost(null);
			this.lossAtTheEnd = lost;
			return Mono.error(lost);
		});
	}

	/** Gives up what is held, or will be; true if it was held to the end. */
	private Mono<Boolean> end() {
		return Mono.fromFuture(() -> {
			this.ended = true;
			CompletableFuture<LockHandle> acquisition = this.acquisition;
			if (acquisition != null) {
				acquisition.cancel(true);
			}
			return this.hold
				.handle((held, failure) -> (held != null) ? held.end() : CompletableFuture.completedFuture(true))
				.thenCompose(Function.identity());
		}, true);
	}

	private Throwable failure(Throwable failure) {
		LockLostException lost = this.lossAtTheEnd;
		if (lost != null) {
			return lost;
		}
		AsyncHold held = this.hold.isCompletedExceptionally() ? null : this.hold.getNow(null);
		return (held != null && held.isLost() && this.call.isCancelledOnLoss()) ? held.lost(failure) : failure;
	}

	/**
	 * The holds under which a subscription runs, innermost first.
	 */
	private static final class Holds {

		private final AsyncHold hold;

		private final @Nullable Holds outer;

		private Holds(AsyncHold hold, @Nullable Holds outer) {
			this.hold = hold;
			this.outer = outer;
		}

		private static @Nullable Holds of(ContextView context) {
			return context.<@Nullable Holds>getOrDefault(Holds.class, null);
		}

		private static Context add(AsyncHold hold, boolean required, Context context) {
			CurrentLockHandle.Scope outer = context.<CurrentLockHandle
				.@Nullable Scope>getOrDefault(CurrentLockHandle.CONTEXT_KEY, null);
			return context.put(Holds.class, new Holds(hold, of(context)))
				.put(CurrentLockHandle.CONTEXT_KEY, CurrentLockHandle.inContext(hold.handle(), required, outer));
		}

	}

}
