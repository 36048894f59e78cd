package io.github.consullock.annotation;

import java.lang.reflect.Constructor;
import java.util.LinkedList;
import java.util.Objects;
import java.util.Stack;
import java.util.Vector;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

import io.github.consullock.LockNotAcquiredException;
import org.junit.jupiter.api.Test;

import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.ReflectionHintsPredicates;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.beans.factory.aot.AotServices;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.aot.BeanRegistrationCode;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.javapoet.ClassName;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.Mockito.mock;

class AnnotatedMethodHintsTests {

	private final DefaultListableBeanFactory beanFactory = new DefaultListableBeanFactory();

	@Test
	void itIsFoundWhenAnApplicationIsBuilt() {
		assertThat(AotServices.factories().load(BeanRegistrationAotProcessor.class))
			.hasAtLeastOneElementOfType(AnnotatedMethodHints.class);
	}

	@Test
	void annotatedMethodsAndTheirFallbacksCanBeCalled() {
		RuntimeHints hints = hints(Orders.class);
		assertThat(invocable("ship")).accepts(hints);
		assertThat(invocable("later")).accepts(hints);
		assertThat(invocable("unrelated")).rejects(hints);
	}

	@Test
	void whatASkippedCallReturnsCanBeMade() {
		RuntimeHints hints = hints(Skipping.class);
		ReflectionHintsPredicates reflection = RuntimeHintsPredicates.reflection();
		assertThat(reflection.onConstructorInvocation(constructor(LinkedList.class))).accepts(hints);
		assertThat(reflection.onConstructorInvocation(constructor(Vector.class))).accepts(hints);
		assertThat(reflection.onType(String[].class)).accepts(hints);
		assertThat(reflection.onType(Stack.class)).rejects(hints);
	}

	@Test
	void aFallbackThatCannotBeCalledStopsTheBuild() {
		assertThatExceptionOfType(DistributedLockDefinitionException.class)
			.isThrownBy(() -> hints(FallbackTests.Missing.class))
			.withMessageContaining("fallback 'later'");
	}

	@Test
	void otherBeansAreLeftAlone() {
		assertThat(new AnnotatedMethodHints().processAheadOfTime(bean(String.class))).isNull();
	}

	private static Constructor<?> constructor(Class<?> type) {
		return Objects.requireNonNull(ClassUtils.getConstructorIfAvailable(type));
	}

	private static Predicate<RuntimeHints> invocable(String method) {
		ReflectionHintsPredicates reflection = RuntimeHintsPredicates.reflection();
		return reflection.onMethodInvocation(Orders.class, method);
	}

	private RuntimeHints hints(Class<?> type) {
		BeanRegistrationAotContribution contribution = new AnnotatedMethodHints().processAheadOfTime(bean(type));
		DefaultGenerationContext context = new DefaultGenerationContext(
				new ClassNameGenerator(ClassName.get("generated", "Code")), new InMemoryGeneratedFiles());
		contribution.applyTo(context, mock(BeanRegistrationCode.class));
		return context.getRuntimeHints();
	}

	private RegisteredBean bean(Class<?> type) {
		this.beanFactory.registerBeanDefinition("bean", new RootBeanDefinition(type));
		return RegisteredBean.of(this.beanFactory, "bean");
	}

	static class Orders {

		@DistributedLock(key = "order", fallback = "later")
		public void ship() {
		}

		@SuppressWarnings("UnusedMethod") // called by name
		private void later(LockNotAcquiredException failure) {
		}

		public void unrelated() {
		}

	}

	static class Skipping {

		@DistributedLock(key = "order", onNotAcquired = NotAcquiredPolicy.SKIP)
		public LinkedList<String> list() {
			return new LinkedList<>();
		}

		@DistributedLock(key = "order", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletableFuture<Vector<String>> future() {
			return CompletableFuture.completedFuture(new Vector<>());
		}

		@DistributedLock(key = "order", onNotAcquired = NotAcquiredPolicy.SKIP)
		public String[] array() {
			return new String[0];
		}

		@DistributedLock("order")
		public Stack<String> waiting() {
			return new Stack<>();
		}

	}

}
