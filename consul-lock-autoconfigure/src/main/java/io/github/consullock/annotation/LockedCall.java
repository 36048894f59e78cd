package io.github.consullock.annotation;

import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.lock.Acquirable;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.aop.interceptor.ExposeInvocationInterceptor;

/**
 * One call of an annotated method, and the lock that it needs.
 *
 * @param invocation the call
 * @param spec what the annotation asks
 * @param registry where to lock
 * @param lock what to hold while the body runs
 * @param deferred whether the body runs later than the call, and on another thread
 */
record LockedCall(MethodInvocation invocation, DistributedLockSpec spec, ConsulLockRegistry registry, Acquirable lock,
		boolean deferred) {

	LockedCall(MethodInvocation invocation, DistributedLockSpec spec, ConsulLockRegistry registry, Acquirable lock) {
		this(invocation, spec, registry, lock, false);
	}

	/**
	 * The same call, to be made once, after the present one has returned.
	 */
	LockedCall later() {
		MethodInvocation copy = ((ProxyMethodInvocation) this.invocation).invocableClone();
		return new LockedCall(copy, this.spec, this.registry, this.lock, true);
	}

	boolean isCancelledOnLoss() {
		return this.spec.onLost() == LossPolicy.CANCEL;
	}

	/**
	 * The full keys in Consul of what to hold.
	 */
	List<String> keys() {
		return (this.lock instanceof ConsulLock exclusive) ? exclusive.keys() : List.of(this.lock.key());
	}

	/**
	 * Runs the body.
	 * @param handle the hold that it runs under
	 * @return what it returned
	 */
	@Nullable Object proceed(LockHandle handle) throws Throwable {
		HandleParameter parameter = this.spec.handleParameter();
		MethodInvocation body = (parameter != null) ? parameter.bind(this.invocation, handle) : this.invocation;
		// Aspects look for the call in a thread-local variable that is set on the
		// caller's
		// thread.
		return this.deferred ? ExposeInvocationInterceptor.INSTANCE.invoke(body) : body.proceed();
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
		if (this.spec.fallback() != null) {
			return this.spec.fallback().call(this.invocation.getThis(), this.invocation.getArguments(), failure);
		}
		throw failure;
	}

}
