package io.github.consullock.annotation;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

import io.github.consullock.lock.ConsulLockRegistry;

import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.annotation.BeanFactoryAnnotationUtils;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;

/**
 * Finds the registry that an annotation names. Looked up at the first call: an advisor
 * that asked for one when it is created would have it created before the post-processors
 * that should see it.
 */
final class LockRegistries {

	private final Map<String, ConsulLockRegistry> found = new ConcurrentHashMap<>();

	private final ConfigurableListableBeanFactory beanFactory;

	LockRegistries(ConfigurableListableBeanFactory beanFactory) {
		this.beanFactory = beanFactory;
	}

	/**
	 * The registry of a name.
	 * @param name a qualifier or bean name, or empty for the only or primary one
	 * @return the registry
	 * @throws IllegalStateException if there is none, or more than one
	 */
	ConsulLockRegistry get(String name) {
		ConsulLockRegistry registry = this.found.get(name);
		if (registry == null) {
			// Not computeIfAbsent: creating the bean may lead back to here.
			registry = this.beanFactory.getBean(beanName(name), ConsulLockRegistry.class);
			this.found.put(name, registry);
		}
		return registry;
	}

	/**
	 * The name of the bean, without creating it.
	 * @param name a qualifier or bean name, or empty for the only or primary one
	 * @return the bean's name
	 * @throws IllegalStateException if there is none, or more than one
	 */
	String beanName(String name) {
		List<String> all = List
			.of(BeanFactoryUtils.beanNamesForTypeIncludingAncestors(this.beanFactory, ConsulLockRegistry.class));
		if (all.isEmpty()) {
			throw new IllegalStateException("there is no bean of type ConsulLockRegistry");
		}
		List<String> candidates = name.isEmpty() ? defaultCandidates(all)
				: all.stream()
					.filter((each) -> BeanFactoryAnnotationUtils.isQualifierMatch(name::equals, each, this.beanFactory))
					.toList();
		if (candidates.size() > 1) {
			List<String> primary = candidates.stream().filter((each) -> is(each, BeanDefinition::isPrimary)).toList();
			candidates = (primary.size() == 1) ? primary : candidates;
		}
		if (candidates.isEmpty() && name.isEmpty()) {
			throw new IllegalStateException(
					"no ConsulLockRegistry is a default candidate for autowiring; there are " + all);
		}
		if (candidates.isEmpty()) {
			throw new IllegalStateException(
					"no ConsulLockRegistry has the qualifier or bean name '" + name + "'; there are " + all);
		}
		if (candidates.size() > 1) {
			throw new IllegalStateException("more than one ConsulLockRegistry fits: " + candidates);
		}
		return candidates.get(0);
	}

	/** As where a bean is injected without a qualifier. */
	private List<String> defaultCandidates(List<String> all) {
		List<String> candidates = all.stream()
			.filter((each) -> !is(each, LockRegistries::isForQualifiersOnly))
			.toList();
		List<String> regular = candidates.stream().filter((each) -> !is(each, BeanDefinition::isFallback)).toList();
		return regular.isEmpty() ? candidates : regular;
	}

	private static boolean isForQualifiersOnly(BeanDefinition definition) {
		return !definition.isAutowireCandidate()
				|| (definition instanceof AbstractBeanDefinition detailed && !detailed.isDefaultCandidate());
	}

	private boolean is(String beanName, Predicate<BeanDefinition> condition) {
		try {
			return condition.test(this.beanFactory.getMergedBeanDefinition(beanName));
		}
		catch (NoSuchBeanDefinitionException ex) {
			return false; // registered as an object
		}
	}

}
