package io.github.consullock.autoconfigure;

import io.github.consullock.lock.ConsulLockRegistryBuilder;

/**
 * A bean of this type may change how the auto-configured
 * {@link io.github.consullock.lock.ConsulLockRegistry} is built, after the properties
 * have been applied. Several are called in their order.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface ConsulLockRegistryBuilderCustomizer {

	/**
	 * Changes the builder.
	 * @param builder the builder, with the properties applied
	 */
	void customize(ConsulLockRegistryBuilder builder);

}
