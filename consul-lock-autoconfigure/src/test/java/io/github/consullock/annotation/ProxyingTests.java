package io.github.consullock.annotation;

import java.lang.reflect.Proxy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.Ordered;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

class ProxyingTests {

	@ParameterizedTest
	@ValueSource(classes = { Lambda.class, FactoryMade.class, ProxyMade.class, JdkProxyMade.class, Scoped.class,
			Prototype.class, FinalTask.class })
	void aBeanIsLockedHoweverItIsMade(Class<?> configuration) {
		try (AnnotationConfigApplicationContext context = LockContext.start(configuration)) {
			context.getBean(Task.class).perform("x");
			assertThat(LockContext.registry(context).events).containsExactly("acquire locks/task/x",
					"release locks/task/x");
		}
	}

	@Test
	void beansThatNeedEachOtherAreLockedWhereverTheyAreSeen() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Circle.class, CircleTask.class)) {
			context.getBean(Circle.class).perform();
			context.getBean(Task.class).perform("y");
			assertThat(LockContext.registry(context).events).containsExactly("acquire locks/task/x",
					"release locks/task/x", "acquire locks/task/y", "release locks/task/y");
		}
	}

	@Test
	void aBeanThatAPostProcessorNeedsStopsTheStart() {
		assertThatException().isThrownBy(() -> LockContext.start(TooEarly.class).close())
			.havingCause()
			.isInstanceOf(DistributedLockDefinitionException.class)
			.withMessageContaining("too early")
			.withMessageContaining("eager");
	}

	@ParameterizedTest
	@ValueSource(classes = { LookedUpByFactoryPostProcessor.class, LookedUpByPostProcessor.class })
	void aBeanThatAPostProcessorLooksUpStopsTheStart(Class<?> configuration) {
		assertThatException().isThrownBy(() -> LockContext.start(configuration).close())
			.havingCause()
			.isInstanceOf(DistributedLockDefinitionException.class)
			.withMessageContaining("too early")
			.withMessageContaining("'early'");
	}

	interface Task {

		@DistributedLock("task/#{#name}")
		void perform(String name);

	}

	static class SimpleTask implements Task {

		@Override
		public void perform(String name) {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Lambda {

		@Bean
		Task task() {
			return (name) -> {
			};
		}

	}

	static final class FinalTask extends SimpleTask {

	}

	@Configuration(proxyBeanMethods = false)
	static class FactoryMade {

		@Bean
		FactoryBean<Task> task() {
			return new FactoryBean<>() {
				@Override
				public Task getObject() {
					return new SimpleTask();
				}

				@Override
				public Class<?> getObjectType() {
					return Task.class;
				}
			};
		}

	}

	/** As repositories are made. */
	@Configuration(proxyBeanMethods = false)
	static class ProxyMade {

		@Bean
		Task task() {
			ProxyFactory factory = new ProxyFactory(new SimpleTask());
			factory.setInterfaces(Task.class);
			return (Task) factory.getProxy();
		}

	}

	/** As declarative HTTP clients are made. */
	@Configuration(proxyBeanMethods = false)
	static class JdkProxyMade {

		@Bean
		Task task() {
			return (Task) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] { Task.class },
					(proxy, method, args) -> null);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Scoped {

		@Bean
		@Scope(scopeName = "prototype", proxyMode = ScopedProxyMode.INTERFACES)
		Task task() {
			return new SimpleTask();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Prototype {

		@Bean
		@Scope("prototype")
		Task task() {
			return new SimpleTask();
		}

	}

	static class Circle {

		@Autowired
		@SuppressWarnings("NullAway.Init") // injected
		private Task task;

		void perform() {
			this.task.perform("x");
		}

	}

	static class CircleTask extends SimpleTask {

		@Autowired
		@SuppressWarnings("NullAway.Init") // injected
		private Circle circle;

		@Override
		public void perform(String name) {
			assertThat(this.circle).isNotNull();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TooEarly {

		@Bean
		static Task early() {
			return new SimpleTask();
		}

		@Bean
		static Eager eager(Task early) {
			return new Eager(early);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LookedUpByFactoryPostProcessor {

		@Bean
		static Task early() {
			return new SimpleTask();
		}

		@Bean
		static BeanFactoryPostProcessor lookUp() {
			return (beanFactory) -> beanFactory.getBean(Task.class);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LookedUpByPostProcessor {

		@Bean
		static Task early() {
			return new SimpleTask();
		}

		@Bean
		static Eager eager(BeanFactory beanFactory) {
			return new Eager(beanFactory.getBean(Task.class));
		}

	}

	record Eager(Task task) implements BeanPostProcessor, Ordered {

		@Override
		public int getOrder() {
			return Ordered.HIGHEST_PRECEDENCE;
		}

	}

}
