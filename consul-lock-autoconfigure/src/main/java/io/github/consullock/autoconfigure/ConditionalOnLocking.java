package io.github.consullock.autoconfigure;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import io.github.consullock.autoconfigure.ConsulLockProperties.Mode;

import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.env.Environment;

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

		/** In this application context. */
		LOCAL;

		/**
		 * What the settings come to now.
		 * @param environment the settings
		 */
		static Locking of(Environment environment) {
			Binder binder = Binder.get(environment);
			if (!binder.bind(ConsulLockProperties.PREFIX + ".enabled", Boolean.class).orElse(true)) {
				return OFF;
			}
			return switch (binder.bind(ConsulLockProperties.PREFIX + ".mode", Mode.class).orElse(Mode.CONSUL)) {
				case CONSUL -> CONSUL;
				case LOCAL -> LOCAL;
			};
		}

		/**
		 * Checks that the settings still come to this. They do not have to where
		 * conditions were evaluated when the application was built.
		 * @param environment the settings
		 * @throws InvalidLockPropertyException if they come to something else
		 */
		void check(Environment environment) {
			Locking now = of(environment);
			if (now != this) {
				boolean enabled = (this == OFF) == (now == OFF);
				String property = ConsulLockProperties.PREFIX + (enabled ? ".mode" : ".enabled");
				throw new InvalidLockPropertyException(property,
						property + " makes the locking " + now + ", but the application was built ahead of time for "
								+ this + "; build it again with the value it is to run with");
			}
		}

	}

}
