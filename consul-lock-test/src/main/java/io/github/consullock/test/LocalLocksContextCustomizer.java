package io.github.consullock.test;

import org.springframework.aot.AotDetector;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.MergedContextConfiguration;
import org.springframework.test.context.support.TestPropertySourceUtils;

/**
 * Does what {@link LocalLocks @LocalLocks} says. A record, since contexts are cached by
 * what their customizers are equal to.
 *
 * @param register whether the application may register in Consul
 */
record LocalLocksContextCustomizer(boolean register) implements ContextCustomizer {

	@Override
	public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration mergedConfig) {
		TestPropertySourceUtils.addInlinedPropertiesToEnvironment(context, "consul.lock.enabled=true",
				"consul.lock.mode=local");
		if (!this.register) {
			TestPropertySourceUtils.addInlinedPropertiesToEnvironment(context,
					"spring.cloud.consul.discovery.register=false",
					"spring.cloud.consul.discovery.catalog-services-watch.enabled=false");
		}
		if (!AotDetector.useGeneratedArtifacts()) {
			((BeanDefinitionRegistry) context.getBeanFactory()).registerBeanDefinition(
					LocalLocksConfiguration.class.getName(), new RootBeanDefinition(LocalLocksConfiguration.class));
		}
	}

}
