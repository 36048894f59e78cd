package io.github.consullock.test;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.TestContextAnnotationUtils;

/**
 * Finds {@link LocalLocks @LocalLocks} on a test class, those it extends, and those it is
 * nested in.
 */
final class LocalLocksContextCustomizerFactory implements ContextCustomizerFactory {

	@Override
	public @Nullable ContextCustomizer createContextCustomizer(Class<?> testClass,
			List<ContextConfigurationAttributes> configAttributes) {
		LocalLocks annotation = TestContextAnnotationUtils.findMergedAnnotation(testClass, LocalLocks.class);
		return (annotation != null) ? new LocalLocksContextCustomizer(annotation.register()) : null;
	}

}
