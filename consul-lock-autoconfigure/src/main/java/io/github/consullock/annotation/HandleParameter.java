package io.github.consullock.annotation;

import java.lang.reflect.Method;

import io.github.consullock.LockHandle;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.core.MethodParameter;
import org.springframework.core.Nullness;

/**
 * The parameter by which an annotated method receives its hold.
 *
 * @param method the method as error messages name it
 * @param index its position
 */
record HandleParameter(String method, int index) {

	/**
	 * The parameter of a method.
	 * @param definition the annotated method
	 * @return the parameter, or {@code null} if it has none
	 */
	static @Nullable HandleParameter of(Definition definition) {
		Method method = definition.method();
		HandleParameter found = null;
		for (int i = 0; i < method.getParameterCount(); i++) {
			if (method.getParameterTypes()[i] == LockHandle.class) {
				if (found != null) {
					throw definition.refused("has two parameters of the type LockHandle, but holds one lock",
							"Keep one of them.");
				}
				found = new HandleParameter(definition.name(), i);
			}
		}
		if (found != null
				&& Nullness.forMethodParameter(new MethodParameter(method, found.index)) == Nullness.NON_NULL) {
			throw definition
				.refused("has a LockHandle parameter that is declared never to be null, while callers pass null and the"
						+ " method receives the hold", "Declare it as @Nullable LockHandle.");
		}
		return found;
	}

	/**
	 * Refuses a handle of the caller's, which the body would not get.
	 * @param args the arguments of a call
	 */
	void check(@Nullable Object[] args) {
		if (args[this.index] != null) {
			throw new IllegalArgumentException(this.method + " was called with a LockHandle; pass null: the method"
					+ " receives the handle of its own lock there");
		}
	}

	/**
	 * Gives the handle to the body. The invocation stays as it is: those around the lock
	 * see the arguments of the caller, and those who try again call with these.
	 * @param invocation the call
	 * @param handle the hold
	 * @return the call of the body
	 */
	MethodInvocation bind(MethodInvocation invocation, LockHandle handle) {
		@Nullable Object[] args = invocation.getArguments().clone();
		args[this.index] = handle;
		return ((ProxyMethodInvocation) invocation).invocableClone(args);
	}

}
