package io.github.consullock.test.orders;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.Test;

import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.TestContextManager;
import org.springframework.test.context.TestPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which test classes share a context.
 */
class ContextCachingTests {

	@Test
	void classesThatSayTheSameShareAContext() {
		assertThat(context(Second.class)).isSameAs(context(First.class));
	}

	@Test
	void theAnnotationIsInheritedAndMayBePartOfAnother() {
		assertThat(context(Derived.class)).isSameAs(context(First.class));
		assertThat(context(First.Inner.class)).isSameAs(context(First.class));
		assertThat(context(Composed.class)).isSameAs(context(First.class));
	}

	@Test
	void contextsThatAreNotTheSameHaveLocksOfTheirOwn() {
		assertThat(context(Other.class).getBean(LockLossSimulator.class))
			.isNotSameAs(context(First.class).getBean(LockLossSimulator.class));
	}

	@Test
	void aTestWithoutTheAnnotationHasItsOwnContextAndNoSimulator() {
		assertThat(context(Without.class).getBeansOfType(LockLossSimulator.class)).isEmpty();
		assertThat(context(Without.class).getEnvironment().getProperty("consul.lock.mode")).isEqualTo("consul");
	}

	private static ApplicationContext context(Class<?> testClass) {
		return new TestContextManager(testClass).getTestContext().getApplicationContext();
	}

	@SpringBootTest
	@LocalLocks
	static class First {

		class Inner {

		}

	}

	@SpringBootTest
	@LocalLocks
	static class Second {

	}

	static class Derived extends First {

	}

	@LockedApplicationTest
	static class Composed {

	}

	@SpringBootTest
	@LocalLocks
	@TestPropertySource(properties = "consul.lock.waiting.timeout=31s")
	static class Other {

	}

	@SpringBootTest(properties = "spring.cloud.consul.discovery.catalog-services-watch.enabled=false")
	static class Without {

	}

	@SpringBootTest
	@LocalLocks
	@Retention(RetentionPolicy.RUNTIME)
	@interface LockedApplicationTest {

	}

}
