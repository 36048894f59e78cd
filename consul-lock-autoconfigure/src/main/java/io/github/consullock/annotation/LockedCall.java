package io.github.consullock.annotation;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.lock.Acquirable;
import io.github.consullock.lock.ConsulLockRegistry;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * One call of an annotated method, and the lock that it needs.
 *
 * @param invocation the call
 * @param spec what the annotation asks
 * @param registry where to lock
 * @param lock what to hold while the body runs
 */
record LockedCall(MethodInvocation invocation, DistributedLockSpec spec, ConsulLockRegistry registry, Acquirable lock) {

	/**
	 * Runs the body.
	 * @param handle the hold that it runs under
	 * @return what it returned
	 */
	@Nullable Object proceed(LockHandle handle) throws Throwable {
		return this.invocation.proceed();
	}

	/**
	 * What the caller gets instead of the body's result when the lock was not to be had.
	 * @param failure why
	 * @return a result of the method's return type
	 */
	@Nullable Object notAcquired(LockNotAcquiredException failure) throws Throwable {
		if (this.spec.skippedResult() != null) {
			return this.spec.skippedResult().get();
		}
		throw failure;
	}

}
