package io.github.consullock.annotation;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;

import jakarta.validation.Constraint;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;
import jakarta.validation.ConstraintViolationException;
import jakarta.validation.Payload;
import jakarta.validation.Validator;
import jakarta.validation.constraints.Positive;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Role;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.resilience.retry.MethodRetryPredicate;
import org.springframework.retry.RetryCallback;
import org.springframework.retry.RetryContext;
import org.springframework.retry.RetryListener;
import org.springframework.retry.annotation.Backoff;
import org.springframework.retry.annotation.RetryConfiguration;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.validation.annotation.Validated;
import org.springframework.validation.beanvalidation.LocalValidatorFactoryBean;
import org.springframework.validation.beanvalidation.MethodValidationPostProcessor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class AdviceOrderTests {

	private static final String[] TRANSACTION_IN_LOCK = { "acquire locks/orders/7", "begin", "body", "commit",
			"release locks/orders/7" };

	@AfterEach
	void forgetUser() {
		SecurityContextHolder.clearContext();
	}

	@Test
	void theLockIsReleasedAfterTheCommit() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			login("shipper");
			context.getBean(Orders.class).ship(7);
			assertThat(trail(context)).containsExactly(TRANSACTION_IN_LOCK);
		}
	}

	@Test
	void theLockIsOutsideOfATransactionThatWasGivenAnEarlyOrder() {
		try (AnnotationConfigApplicationContext context = LockContext.start(EarlyTransactions.class)) {
			login("shipper");
			context.getBean(Orders.class).ship(7);
			assertThat(trail(context)).containsExactly(TRANSACTION_IN_LOCK);
			assertRefusedWithoutLock(context);
		}
	}

	@Test
	void theOrderIsTheSameForAProxyOfInterfaces() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class, InterfaceProxies.class)) {
			login("shipper");
			context.getBean(Shipping.class).ship(7);
			assertThat(trail(context)).containsExactly(TRANSACTION_IN_LOCK);
			assertThatExceptionOfType(ConstraintViolationException.class)
				.isThrownBy(() -> context.getBean(Shipping.class).ship(-1));
			assertThat(trail(context)).hasSize(TRANSACTION_IN_LOCK.length);
		}
	}

	@Test
	void aRollbackComesBeforeTheReleaseToo() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			login("shipper");
			context.getBean(Trail.class).failures = 1;
			assertThatExceptionOfType(IllegalStateException.class)
				.isThrownBy(() -> context.getBean(Orders.class).ship(7));
			assertThat(trail(context)).containsExactly("acquire locks/orders/7", "begin", "body", "rollback",
					"release locks/orders/7");
		}
	}

	@Test
	void whoeverMayNotCallOrCallsWithInvalidArgumentsTakesNoLock() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			assertRefusedWithoutLock(context);
		}
	}

	@Test
	void securityComesBeforeValidation() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			login("guest");
			assertThatExceptionOfType(AccessDeniedException.class)
				.isThrownBy(() -> context.getBean(Orders.class).ship(-1));
		}
	}

	@Test
	void everyRetryLocksAgain() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			login("shipper");
			context.getBean(Trail.class).failures = 1;
			context.getBean(Orders.class).shipWithRetry(7);
			assertThat(trail(context)).containsExactly("acquire locks/orders/7", "begin", "body", "rollback",
					"release locks/orders/7", "acquire locks/orders/7", "begin", "body", "commit",
					"release locks/orders/7");
		}
	}

	@Test
	void anAsynchronousCallIsLockedOnTheThreadThatRunsIt() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class)) {
			context.getBean(Orders.class).shipLater(7);
			Awaitility.await().until(() -> trail(context).size() == TRANSACTION_IN_LOCK.length);
			assertThat(trail(context)).containsExactly(TRANSACTION_IN_LOCK);
			assertThat(context.getBean(Trail.class).threads).doesNotContain(Thread.currentThread().getName());
		}
	}

	@Test
	void theWholeOrderOfAdvice() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class, Recording.class)) {
			context.getBean(Trail.class).failures = 1;
			context.getBean(Recorded.class).everything(7);
			Awaitility.await().until(() -> trail(context).contains("commit") && trail(context).size() == 16);
			assertThat(trail(context)).containsExactly("async", "security", "validation", "acquire locks/orders/7",
					"begin", "body", "rollback", "release locks/orders/7", "retry", "security", "validation",
					"acquire locks/orders/7", "begin", "body", "commit", "release locks/orders/7");
		}
	}

	@Test
	void springRetryLocksAgainToo() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Everything.class, Recording.class)) {
			context.getBean(Trail.class).failures = 1;
			context.getBean(Recorded.class).springRetry(7);
			assertThat(trail(context)).containsExactly("acquire locks/orders/7", "begin", "body", "rollback",
					"release locks/orders/7", "retry", "acquire locks/orders/7", "begin", "body", "commit",
					"release locks/orders/7");
		}
	}

	private static void assertRefusedWithoutLock(AnnotationConfigApplicationContext context) {
		List<String> trail = trail(context);
		trail.clear();
		login("guest");
		assertThatExceptionOfType(AccessDeniedException.class).isThrownBy(() -> context.getBean(Orders.class).ship(7));
		login("shipper");
		assertThatExceptionOfType(ConstraintViolationException.class)
			.isThrownBy(() -> context.getBean(Orders.class).ship(-1));
		assertThat(trail).isEmpty();
		context.getBean(Orders.class).ship(7);
		assertThat(trail).containsExactly(TRANSACTION_IN_LOCK);
	}

	private static void login(String role) {
		SecurityContextHolder.getContext().setAuthentication(new TestingAuthenticationToken("somebody", "", role));
	}

	private static List<String> trail(AnnotationConfigApplicationContext context) {
		return context.getBean(Trail.class).events;
	}

	interface Shipping {

		void ship(@Positive long id);

	}

	@Validated
	static class Orders {

		private final Trail trail;

		Orders(Trail trail) {
			this.trail = trail;
		}

		@PreAuthorize("hasAuthority('shipper')")
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void ship(@Positive long id) {
			this.trail.body();
		}

		@Retryable(delay = 0)
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void shipWithRetry(@Positive long id) {
			this.trail.body();
		}

		@Async
		@Retryable
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void shipLater(@Positive long id) {
			this.trail.body();
		}

	}

	@Validated
	static class InterfaceOrders implements Shipping {

		private final Trail trail;

		InterfaceOrders(Trail trail) {
			this.trail = trail;
		}

		@Override
		@PreAuthorize("hasAuthority('shipper')")
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void ship(long id) {
			this.trail.add("body");
		}

	}

	/** Where every advice leaves its mark. */
	@Validated
	static class Recorded {

		private final Trail trail;

		Recorded(Trail trail) {
			this.trail = trail;
		}

		@Async("recordingExecutor")
		@Retryable(delay = 0, predicate = RecordingPredicate.class)
		@PreAuthorize("@guard.admits()")
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void everything(@RecordedConstraint long id) {
			this.trail.body();
		}

		@org.springframework.retry.annotation.Retryable(listeners = "recordingListener", backoff = @Backoff(delay = 1))
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void springRetry(long id) {
			this.trail.body();
		}

	}

	static class RecordingPredicate implements MethodRetryPredicate {

		private final Trail trail;

		RecordingPredicate(Trail trail) {
			this.trail = trail;
		}

		@Override
		public boolean shouldRetry(Method method, Throwable failure) {
			this.trail.add("retry");
			return true;
		}

	}

	@Target(ElementType.PARAMETER)
	@Retention(RetentionPolicy.RUNTIME)
	@Constraint(validatedBy = RecordingValidator.class)
	@interface RecordedConstraint {

		String message() default "";

		Class<?>[] groups() default {};

		Class<? extends Payload>[] payload() default {};

	}

	static class RecordingValidator implements ConstraintValidator<RecordedConstraint, Long> {

		private final Trail trail;

		RecordingValidator(Trail trail) {
			this.trail = trail;
		}

		@Override
		public boolean isValid(Long value, ConstraintValidatorContext context) {
			this.trail.add("validation");
			return true;
		}

	}

	static class Guard {

		private final Trail trail;

		Guard(Trail trail) {
			this.trail = trail;
		}

		public boolean admits() {
			this.trail.add("security");
			return true;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Recording {

		/** What {@code @EnableRetry} imports, which needs AspectJ besides. */
		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static RetryConfiguration retryConfiguration() {
			return new RetryConfiguration();
		}

		@Bean
		Recorded recorded(Trail trail) {
			return new Recorded(trail);
		}

		@Bean
		Guard guard(Trail trail) {
			return new Guard(trail);
		}

		@Bean
		static LocalValidatorFactoryBean validator() {
			return new LocalValidatorFactoryBean();
		}

		@Bean
		static MethodValidationPostProcessor methodValidationPostProcessor(ObjectProvider<Validator> validator) {
			MethodValidationPostProcessor postProcessor = new MethodValidationPostProcessor();
			postProcessor.setValidatorProvider(validator);
			return postProcessor;
		}

		@Bean
		Executor recordingExecutor(Trail trail) {
			return (task) -> new Thread(() -> {
				trail.add("async");
				login("shipper");
				task.run();
			}).start();
		}

		@Bean
		RetryListener recordingListener(Trail trail) {
			return new RetryListener() {

				@Override
				public <T, E extends Throwable> void onError(RetryContext context, RetryCallback<T, E> callback,
						Throwable failure) {
					trail.add("retry");
				}

			};
		}

	}

	static class Trail {

		final List<String> events;

		final List<String> threads = new CopyOnWriteArrayList<>();

		volatile int failures;

		Trail(List<String> events) {
			this.events = events;
		}

		void add(String event) {
			this.events.add(event);
			this.threads.add(Thread.currentThread().getName());
		}

		void body() {
			add("body");
			if (this.failures > 0) {
				this.failures = 0;
				throw new IllegalStateException("no ship");
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement
	@Import(Surroundings.class)
	static class Everything {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement(order = 0)
	@Import(Surroundings.class)
	static class EarlyTransactions {

	}

	@Configuration(proxyBeanMethods = false)
	static class InterfaceProxies {

		@Bean
		Shipping interfaceOrders(Trail trail) {
			return new InterfaceOrders(trail);
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@EnableResilientMethods
	@EnableMethodSecurity
	static class Surroundings {

		@Bean
		static MethodValidationPostProcessor methodValidationPostProcessor() {
			return new MethodValidationPostProcessor();
		}

		@Bean
		Trail trail(FakeLockRegistry registry) {
			return new Trail(registry.events);
		}

		@Bean
		Orders orders(Trail trail) {
			return new Orders(trail);
		}

		@Bean
		PlatformTransactionManager transactionManager(Trail trail) {
			return new RecordingTransactions(trail.events);
		}

	}

}
