package io.github.consullock.annotation;

import java.util.concurrent.Future;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * Runs annotated methods under their locks.
 */
final class DistributedLockInterceptor implements MethodInterceptor {

	private final DistributedLockSpecs specs;

	private final LockRegistries registries;

	DistributedLockInterceptor(DistributedLockSpecs specs, LockRegistries registries) {
		this.specs = specs;
		this.registries = registries;
	}

	@Override
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		Object target = invocation.getThis();
		Class<?> beanClass = (target != null) ? ClassUtils.getUserClass(target)
				: invocation.getMethod().getDeclaringClass();
		DistributedLockSpec spec = this.specs.find(invocation.getMethod(), beanClass);
		if (spec == null) {
			return invocation.proceed();
		}
		String key = spec.key().evaluate(target, invocation.getArguments());
		ConsulLockRegistry registry = this.registries.get(spec.registry());
		ConsulLock lock = registry.obtain(options(key, spec));
		AnnotatedHold joined = AnnotatedHolds.find(registry, lock.key());
		Object result = (joined != null) ? join(joined, invocation, spec) : acquire(registry, lock, invocation, spec);
		checkResult(result, spec);
		return result;
	}

	private static LockOptions options(String key, DistributedLockSpec spec) {
		LockOptions.Builder options = LockOptions.builder(key);
		return ((spec.waitTime() != null) ? options.waitTime(spec.waitTime()) : options).build();
	}

	private static @Nullable Object join(AnnotatedHold hold, MethodInvocation invocation, DistributedLockSpec spec)
			throws Throwable {
		AnnotatedHold.Outcome outcome = hold.run(invocation, spec.onLost());
		if (spec.onLost() == LossPolicy.CANCEL && hold.isLost()) {
			throw hold.lost(outcome.failure());
		}
		return outcome.get();
	}

	private static @Nullable Object acquire(ConsulLockRegistry registry, ConsulLock lock, MethodInvocation invocation,
			DistributedLockSpec spec) throws Throwable {
		LockHandle handle;
		try {
			handle = lock.acquire();
		}
		catch (LockNotAcquiredException ex) {
			if (spec.skippedResult() != null) {
				return spec.skippedResult().get();
			}
			throw ex;
		}
		AnnotatedHold.Outcome outcome;
		boolean heldToTheEnd;
		AnnotatedHold hold;
		try {
			hold = AnnotatedHolds.add(registry, handle);
			try {
				outcome = hold.run(invocation, spec.onLost());
			}
			finally {
				AnnotatedHolds.remove();
			}
		}
		finally {
			// Not before the handshake has ended: what follows is no longer the body.
			heldToTheEnd = handle.release();
		}
		if (!heldToTheEnd && spec.onLost() == LossPolicy.CANCEL) {
			throw hold.lost(outcome.failure());
		}
		return outcome.get();
	}

	private static void checkResult(@Nullable Object result, DistributedLockSpec spec) {
		if (!spec.checkResult() || result == null || !ReturnTypes.endLater(result.getClass())) {
			return;
		}
		if (!(result instanceof Future<?> future && future.isDone())) {
			throw new IllegalStateException(spec.method() + " returned a " + result.getClass().getName()
					+ " although it is declared to return Object: its work went on after the lock was released."
					+ " Wait for it in the method, or annotate the method that does the work");
		}
	}

}
