package io.github.consullock.annotation;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.MethodClassKey;
import org.springframework.core.ResolvableType;
import org.springframework.expression.ParseException;

/**
 * The specs of all annotated methods, each resolved once. Safe for use by several threads
 * at once.
 */
final class DistributedLockSpecs {

	private final Map<MethodClassKey, Optional<DistributedLockSpec>> specs = new ConcurrentHashMap<>();

	private final Map<Class<?>, Boolean> annotated = new ConcurrentHashMap<>();

	private final ConfigurableListableBeanFactory beanFactory;

	private final KeyTemplateParser parser;

	private final LockedExecution execution;

	DistributedLockSpecs(ConfigurableListableBeanFactory beanFactory, ActiveTransactions transactions) {
		this.beanFactory = beanFactory;
		this.execution = new BlockingExecution(transactions);
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
		if (ReturnTypes.isSuspend(method)) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"is a suspend function, which returns before its work is done",
					"Annotate a function that does not suspend.");
		}
		ResolvableType returnType = ResolvableType.forMethodReturnType(method, beanClass);
		if (ReturnTypes.endLater(returnType)) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"returns " + returnType + ", and so before its work is done",
					"Annotate the method that does the work and returns when it is done.");
		}
		return new DistributedLockSpec(DistributedLockDefinitionException.name(method, beanClass),
				key(annotation, method, beanClass), waitTime(annotation, method, beanClass),
				skippedResult(annotation, method, beanClass), annotation.onLost(),
				registry(annotation, method, beanClass), method.getReturnType() == Object.class, this.execution);
	}

	private KeyTemplate key(DistributedLock annotation, Method method, Class<?> beanClass) {
		if (annotation.key().isEmpty()) {
			throw new DistributedLockDefinitionException(beanClass, method, "has no key",
					"Give it one, such as @DistributedLock(\"orders/#{#id}\").");
		}
		try {
			return this.parser.parse(annotation.key(), method, beanClass);
		}
		catch (IllegalArgumentException | ParseException ex) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"has the key '" + annotation.key() + "', which cannot be used: " + ex.getMessage(),
					"Correct the key, such as \"orders/#{#id}\".", ex);
		}
	}

	private @Nullable Duration waitTime(DistributedLock annotation, Method method, Class<?> beanClass) {
		try {
			String resolved = this.beanFactory.resolveEmbeddedValue(annotation.waitTime());
			String text = (resolved != null) ? resolved.strip() : "";
			if (text.isEmpty()) {
				return null;
			}
			if (text.toLowerCase(Locale.ROOT).equals("forever")) {
				return LockOptions.FOREVER;
			}
			Duration waitTime = DurationStyle.detectAndParse(text);
			if (waitTime.isNegative()) {
				throw new IllegalArgumentException("'" + text + "' is negative");
			}
			if (!waitTime.isZero() && Character.isDigit(text.charAt(text.length() - 1))) {
				throw new IllegalArgumentException(
						"'" + text + "' has no unit; write \"" + text + "s\" or \"" + text + "ms\"");
			}
			return waitTime;
		}
		catch (IllegalArgumentException ex) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"has the waitTime '" + annotation.waitTime() + "', which is no duration: " + ex.getMessage(),
					"Use a duration such as \"5s\" or \"PT5S\", \"0s\" to try once, or \"forever\".", ex);
		}
	}

	private static @Nullable Supplier<@Nullable Object> skippedResult(DistributedLock annotation, Method method,
			Class<?> beanClass) {
		if (annotation.onNotAcquired() == NotAcquiredPolicy.THROW) {
			return null;
		}
		try {
			return SkippedResult.of(method);
		}
		catch (IllegalArgumentException ex) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"has onNotAcquired = SKIP, but " + ex.getMessage(),
					"Use THROW, or return void, boolean, an Optional, a collection, or something nullable.", ex);
		}
	}

	private String registry(DistributedLock annotation, Method method, Class<?> beanClass) {
		try {
			String registry = this.beanFactory.resolveEmbeddedValue(annotation.registry());
			return (registry != null) ? registry : "";
		}
		catch (IllegalArgumentException ex) {
			throw new DistributedLockDefinitionException(beanClass, method,
					"has the registry '" + annotation.registry() + "', which cannot be resolved: " + ex.getMessage(),
					"Set the property, or write the qualifier or name of a ConsulLockRegistry bean.", ex);
		}
	}

}
