package io.github.consullock.annotation;

import io.github.consullock.LockOptions;
import io.github.consullock.lock.ConsulLockRegistry;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * Finds out what lock the call of an annotated method needs, and has it executed under
 * that.
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
		return spec.execution().execute(call(invocation, target, spec));
	}

	private LockedCall call(MethodInvocation invocation, @Nullable Object target, DistributedLockSpec spec) {
		String key = spec.key().evaluate(target, invocation.getArguments());
		ConsulLockRegistry registry = this.registries.get(spec.registry());
		return new LockedCall(invocation, spec, registry, registry.obtain(options(key, spec)));
	}

	private static LockOptions options(String key, DistributedLockSpec spec) {
		LockOptions.Builder options = LockOptions.builder(key);
		return ((spec.waitTime() != null) ? options.waitTime(spec.waitTime()) : options).build();
	}

}
