package io.github.consullock.annotation;

import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Fallback;
import org.springframework.context.annotation.Primary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

class RegistryChoiceTests {

	@Test
	void aRegistryIsFoundByQualifierAndByName() {
		try (AnnotationConfigApplicationContext context = LockContext.start(SecondRegistry.class, ByQualifier.class,
				ByName.class)) {
			context.getBean(ByQualifier.class).run();
			assertThat(context.getBean("second", FakeLockRegistry.class).events).hasSize(2);
			context.getBean(ByName.class).run();
			assertThat(context.getBean("consulLockRegistry", FakeLockRegistry.class).events).hasSize(2);
		}
	}

	@Test
	void thePrimaryRegistryIsTheDefaultAmongSeveral() {
		try (AnnotationConfigApplicationContext context = LockContext.start(PrimaryRegistry.class, Fine.class)) {
			context.getBean(Fine.class).run();
			assertThat(context.getBean("second", FakeLockRegistry.class).events).hasSize(2);
		}
	}

	@ParameterizedTest
	@ValueSource(classes = { NoCandidateRegistry.class, QualifiedCandidateRegistry.class, FallbackRegistry.class })
	void aRegistryThatIsNoDefaultCandidateIsTakenOnlyByItsName(Class<?> second) {
		try (AnnotationConfigApplicationContext context = LockContext.start(second, Fine.class, Second.class)) {
			context.getBean(Fine.class).run();
			assertThat(context.getBean("consulLockRegistry", FakeLockRegistry.class).events).hasSize(2);
			context.getBean(Second.class).run();
			assertThat(context.getBean("second", FakeLockRegistry.class).events).hasSize(2);
		}
	}

	@Test
	void aFallbackRegistryIsTakenWhereThereIsNoOther() {
		try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext(
				LockContext.Locking.class, FallbackRegistry.class, Fine.class)) {
			context.getBean(Fine.class).run();
			assertThat(context.getBean(FakeLockRegistry.class).events).hasSize(2);
		}
	}

	@Test
	void anApplicationWhoseRegistriesAreNoDefaultCandidatesDoesNotStart() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, NoCandidateRegistry.class, Fine.class);
		assertThat(LockContext.definition(catchThrowable(context::refresh))).hasMessageContaining("default candidate")
			.hasMessageContaining("[second]");
	}

	@Test
	void aRegistryThatIsAmbiguousOrMissingStopsTheStart() {
		assertThat(LockContext.refusal(SecondRegistry.class, Fine.class)).hasMessageContaining("Fine.run()")
			.hasMessageContaining("[consulLockRegistry, second]");
		assertThat(LockContext.refusal(Unknown.class)).hasMessageContaining("'nowhere'");
	}

	@Test
	void anApplicationWithoutRegistryDoesNotStartWithAnAnnotatedBean() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Fine.class);
		assertThat(LockContext.definition(catchThrowable(context::refresh)))
			.hasMessageContaining("no bean of type ConsulLockRegistry");
	}

	static class Fine {

		@DistributedLock("fine")
		public void run() {
		}

	}

	static class ByQualifier {

		@DistributedLock(key = "a", registry = "elsewhere")
		public void run() {
		}

	}

	static class ByName {

		@DistributedLock(key = "a", registry = "consulLockRegistry")
		public void run() {
		}

	}

	static class Second {

		@DistributedLock(key = "a", registry = "second")
		public void run() {
		}

	}

	static class Unknown {

		@DistributedLock(key = "a", registry = "nowhere")
		public void run() {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class SecondRegistry {

		@Bean
		@Qualifier("elsewhere")
		ConsulLockRegistry second() {
			return new FakeLockRegistry();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class PrimaryRegistry {

		@Bean
		@Primary
		ConsulLockRegistry second() {
			return new FakeLockRegistry();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class NoCandidateRegistry {

		@Bean(autowireCandidate = false)
		FakeLockRegistry second() {
			return new FakeLockRegistry();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class QualifiedCandidateRegistry {

		@Bean(defaultCandidate = false)
		FakeLockRegistry second() {
			return new FakeLockRegistry();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FallbackRegistry {

		@Bean
		@Fallback
		FakeLockRegistry second() {
			return new FakeLockRegistry();
		}

	}

}
