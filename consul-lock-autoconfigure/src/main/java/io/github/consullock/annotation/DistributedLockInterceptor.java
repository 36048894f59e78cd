package io.github.consullock.annotation;

import java.util.Collection;

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
		@Nullable Object[] args = invocation.getArguments();
		if (spec.handleParameter() != null) {
			spec.handleParameter().check(args);
		}
		Collection<String> keys = spec.keys().evaluate(target, args);
		ConsulLockRegistry registry = this.registries.get(spec.registry());
		return new LockedCall(invocation, spec, registry, spec.terms().obtain(registry, keys));
	}

}
