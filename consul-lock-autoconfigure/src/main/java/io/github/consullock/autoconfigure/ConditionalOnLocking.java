package io.github.consullock.autoconfigure;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.context.annotation.Conditional;

/**
 * Matches where the settings say that locks are kept in one of these ways.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Conditional(OnLockingCondition.class)
@interface ConditionalOnLocking {

	/**
	 * The ways.
	 */
	Locking[] value();

	/**
	 * What {@code consul.lock.enabled} and {@code consul.lock.mode} come to.
	 */
	enum Locking {

		/** Not at all. */
		OFF,

		/** In Consul. */
		CONSUL,

		/** In this JVM. */
		LOCAL

	}

}
