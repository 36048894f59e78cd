package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodClassKey;

/**
 * The specs of all annotated methods, each resolved once. Safe for use by several threads
 * at once.
 */
final class DistributedLockSpecs {

	private final Map<MethodClassKey, Optional<DistributedLockSpec>> specs = new ConcurrentHashMap<>();

	private final Map<Class<?>, Boolean> annotated = new ConcurrentHashMap<>();

	private final ConfigurableListableBeanFactory beanFactory;

	private final KeyTemplateParser parser;

	private final Executions executions;

	DistributedLockSpecs(ConfigurableListableBeanFactory beanFactory, ActiveTransactions transactions) {
		this.beanFactory = beanFactory;
		this.executions = new Executions(transactions);
		this.parser = new KeyTemplateParser(beanFactory);
	}

	boolean isAnnotated(Class<?> type) {
		return this.annotated.computeIfAbsent(type, DistributedLockAnnotations::isAnnotated);
	}

	/**
	 * The spec of a method.
	 * @param method the method, or one that it implements or overrides
	 * @param beanClass the class of the bean, no proxy of this application's
	 * @return the spec, or {@code null} if the method is not annotated
	 * @throws DistributedLockDefinitionException if the annotation cannot be obeyed
	 */
	@Nullable DistributedLockSpec find(Method method, Class<?> beanClass) {
		return this.specs.computeIfAbsent(new MethodClassKey(method, beanClass), (key) -> {
			Method specific = DistributedLockAnnotations.specificMethod(method, beanClass);
			DistributedLock annotation = DistributedLockAnnotations.find(specific, beanClass);
			return Optional.ofNullable(annotation).map((found) -> resolve(found, specific, beanClass));
		}).orElse(null);
	}

	private DistributedLockSpec resolve(DistributedLock annotation, Method method, Class<?> beanClass) {
		Definition definition = new Definition(annotation, method, beanClass);
		return new DistributedLockSpec(definition.name(), LockKeys.of(definition, this.parser),
				LockTerms.of(definition, this.beanFactory::resolveEmbeddedValue), skippedResult(definition),
				Fallback.of(definition), HandleParameter.of(definition), annotation.onLost(), registry(definition),
				method.getReturnType() == Object.class, this.executions.of(definition));
	}

	private static @Nullable Supplier<@Nullable Object> skippedResult(Definition definition) {
		if (definition.annotation().onNotAcquired() == NotAcquiredPolicy.THROW) {
			return null;
		}
		try {
			return SkippedResult.of(definition.method(), definition.beanClass());
		}
		catch (IllegalArgumentException ex) {
			throw definition.refused("has onNotAcquired = SKIP, but " + ex.getMessage(),
					"Use THROW, or return void, boolean, an Optional, a collection, a publisher that may be empty, or"
							+ " something nullable.",
					ex);
		}
	}

	private String registry(Definition definition) {
		String name = definition.annotation().registry();
		try {
			String registry = this.beanFactory.resolveEmbeddedValue(name);
			return (registry != null) ? registry : "";
		}
		catch (IllegalArgumentException ex) {
			throw definition.refused("has the registry '" + name + "', which cannot be resolved: " + ex.getMessage(),
					"Set the property, or write the qualifier or name of a ConsulLockRegistry bean.", ex);
		}
	}

}
