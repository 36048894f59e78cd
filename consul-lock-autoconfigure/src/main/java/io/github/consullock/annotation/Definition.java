package io.github.consullock.annotation;

import java.lang.reflect.Method;

import org.jspecify.annotations.Nullable;

/**
 * An annotation as it stands on a method, its attributes not yet checked.
 *
 * @param annotation the annotation, its attributes merged
 * @param method the method
 * @param beanClass the class of the bean that it is called on
 */
record Definition(DistributedLock annotation, Method method, Class<?> beanClass) {

	/**
	 * What is told of an annotation that cannot be obeyed.
	 * @param problem what is wrong, as the rest of a sentence that starts with the name
	 * of the method
	 * @param action what to change, as a full sentence
	 */
	DistributedLockDefinitionException refused(String problem, String action) {
		return refused(problem, action, null);
	}

	DistributedLockDefinitionException refused(String problem, String action, @Nullable Exception cause) {
		return new DistributedLockDefinitionException(this.beanClass, this.method, problem, action, cause);
	}

	/**
	 * The method as error messages name it.
	 */
	String name() {
		return DistributedLockDefinitionException.name(this.method, this.beanClass);
	}

}
