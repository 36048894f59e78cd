package io.github.consullock.annotation;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Role;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

/**
 * An application context with what locks annotated beans.
 */
final class LockContext {

	private LockContext() {
	}

	static AnnotationConfigApplicationContext start(Class<?>... classes) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		try {
			context.register(Locking.class, Registry.class);
			context.register(classes);
			context.refresh();
			return context;
		}
		catch (RuntimeException ex) {
			context.close();
			throw ex;
		}
	}

	/** What the start of a context with these classes is refused for. */
	static DistributedLockDefinitionException refusal(Class<?>... classes) {
		return definition(catchThrowable(() -> start(classes).close()));
	}

	static DistributedLockDefinitionException definition(@Nullable Throwable thrown) {
		for (Throwable each = thrown; each != null; each = each.getCause()) {
			if (each instanceof DistributedLockDefinitionException definition) {
				return definition;
			}
		}
		throw new AssertionError("no refusal, but " + thrown, thrown);
	}

	/** Ends a test of work that ends later: nothing is held, and no thread waits. */
	static void closeWhenIdle(AnnotationConfigApplicationContext context) {
		await().untilAsserted(() -> assertThat(registry(context).heldLocks()).isEmpty());
		await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
			.noneMatch((thread) -> thread.getName().startsWith("consul-lock-call-")));
		context.close();
	}

	static FakeLockRegistry registry(AnnotationConfigApplicationContext context) {
		return context.getBean(FakeLockRegistry.class);
	}

	@Configuration(proxyBeanMethods = false)
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	@Import(DistributedLockProxyRegistrar.class)
	static class Locking {

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static DistributedLockAdvisor distributedLockAdvisor(ConfigurableListableBeanFactory beanFactory) {
			return new DistributedLockAdvisor(beanFactory);
		}

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static DistributedLockPostProcessor distributedLockPostProcessor(DistributedLockAdvisor advisor,
				ConfigurableListableBeanFactory beanFactory) {
			return new DistributedLockPostProcessor(advisor, !beanFactory.containsBean("lenient"));
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Registry {

		@Bean
		FakeLockRegistry consulLockRegistry() {
			return new FakeLockRegistry();
		}

	}

	/** Turns strict off. */
	@Configuration("lenient")
	static class Lenient {

	}

}
