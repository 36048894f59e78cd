package io.github.consullock.annotation;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import reactor.core.publisher.Mono;

/**
 * The hold of a reactive method annotated with {@link DistributedLock @DistributedLock},
 * for the operators in it. Needs Reactor.
 *
 * @since 0.1.0
 */
public final class ReactiveLockHandle {

	private ReactiveLockHandle() {
	}

	/**
	 * The innermost hold of the Reactor context.
	 * @return emits the hold, or fails with {@link IllegalStateException} if the context
	 * has none
	 */
	public static Mono<LockHandle> current() {
		return Mono
			.deferContextual((context) -> context.<CurrentLockHandle.Scope>getOrEmpty(CurrentLockHandle.CONTEXT_KEY)
				.map((scope) -> Mono.just(scope.handle()))
				.orElseGet(() -> Mono.error(new IllegalStateException(
						"No lock is held by a @DistributedLock method in this Reactor context. It is there in what the"
								+ " method returns, and not in a subscription of your own to something else"))));
	}

}
