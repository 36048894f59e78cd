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
 * @param contextClassLoader that of the calling thread
 * @param deferred whether the body runs later than the call, and on another thread
 */
record LockedCall(MethodInvocation invocation, DistributedLockSpec spec, ConsulLockRegistry registry, Acquirable lock,
		@Nullable ClassLoader contextClassLoader, boolean deferred) {

	LockedCall(MethodInvocation invocation, DistributedLockSpec spec, ConsulLockRegistry registry, Acquirable lock) {
		this(invocation, spec, registry, lock, Thread.currentThread().getContextClassLoader(), false);
	}

	/**
	 * The same call, to be made once, after the present one has returned.
	 */
	LockedCall later() {
		MethodInvocation copy = ((ProxyMethodInvocation) this.invocation).invocableClone();
		return new LockedCall(copy, this.spec, this.registry, this.lock, this.contextClassLoader, true);
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
		return this.deferred ? asCaller(() -> ExposeInvocationInterceptor.INSTANCE.invoke(body)) : body.proceed();
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
		Fallback fallback = this.spec.fallback();
		if (fallback != null) {
			Object target = this.invocation.getThis();
			@Nullable Object[] args = this.invocation.getArguments();
			return this.deferred ? asCaller(() -> fallback.call(target, args, failure))
					: fallback.call(target, args, failure);
		}
		throw failure;
	}

	/** Threads of a pool have the class loader of whoever needed one first. */
	private @Nullable Object asCaller(Action action) throws Throwable {
		Thread thread = Thread.currentThread();
		ClassLoader own = thread.getContextClassLoader();
		thread.setContextClassLoader(this.contextClassLoader);
		try {
			return action.run();
		}
		finally {
			thread.setContextClassLoader(own);
		}
	}

	private interface Action {

		@Nullable Object run() throws Throwable;

	}

}
