package io.github.consullock.annotation;

import org.jspecify.annotations.Nullable;

/**
 * How an annotated method runs under its lock: until it returns, or until what it
 * returned has ended. Chosen once for each method; stateless.
 */
interface LockedExecution {

	/**
	 * Acquires the lock, or joins a hold of it, and runs the body.
	 * @param call the call, on the thread of the caller
	 * @return what the caller gets
	 */
	@Nullable Object execute(LockedCall call) throws Throwable;

}
