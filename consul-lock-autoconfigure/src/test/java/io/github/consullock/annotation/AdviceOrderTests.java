package io.github.consullock.annotation;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import jakarta.validation.ConstraintViolationException;
import jakarta.validation.constraints.Positive;

import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.SimpleTransactionStatus;
import org.springframework.validation.annotation.Validated;
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
			body();
		}

		@Retryable(delay = 0)
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void shipWithRetry(@Positive long id) {
			body();
		}

		@Async
		@Retryable
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void shipLater(@Positive long id) {
			body();
		}

		private void body() {
			this.trail.add("body");
			if (this.trail.failures > 0) {
				this.trail.failures = 0;
				throw new IllegalStateException("no ship");
			}
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
			return new RecordingTransactions(trail);
		}

	}

	static class RecordingTransactions implements PlatformTransactionManager {

		private final Trail trail;

		RecordingTransactions(Trail trail) {
			this.trail = trail;
		}

		@Override
		public TransactionStatus getTransaction(@Nullable TransactionDefinition definition) {
			this.trail.add("begin");
			return new SimpleTransactionStatus();
		}

		@Override
		public void commit(TransactionStatus status) {
			this.trail.add("commit");
		}

		@Override
		public void rollback(TransactionStatus status) {
			this.trail.add("rollback");
		}

	}

}
