package io.github.consullock.annotation;

import java.io.InterruptedIOException;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

import javax.sql.DataSource;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.annotation.Database.Notes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.UnexpectedRollbackException;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class CommitCheckTests {

	private final AnnotationConfigApplicationContext context = LockContext.start(Database.class, Work.class);

	private final FakeLockRegistry registry = LockContext.registry(this.context);

	private final Notes notes = this.context.getBean(Notes.class);

	private final Work work = this.context.getBean(Work.class);

	@AfterEach
	void leaveNothingBehind() {
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		assertThat(this.registry.isFree()).isTrue();
		this.context.close();
	}

	@Test
	void aBodyThatKeepsItsLockIsCommitted() throws Exception {
		this.work.run(this::note);
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void aCancelledBodyIsNotCommittedThoughItEndedWithACheckedException() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			note();
			this.registry.holder("work").lose(LockLostReason.SESSION_INVALIDATED);
			assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> new CountDownLatch(1).await());
			throw new InterruptedIOException("a call that was aborted");
		}));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aBodyThatSwallowedItsCancellationIsNotCommitted() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			note();
			this.registry.holder("work").lose(LockLostReason.KEY_DELETED);
			return null;
		})).satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.KEY_DELETED));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aLossAfterTheBodyRollsBackThoughNobodyWasToldYet() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			note();
			this.registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
			return null;
		})).satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void everyLockAroundATransactionCounts() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.work.runOther(() -> this.work.run(() -> {
				note();
				this.registry.holder("other").loseSilently(LockLostReason.DEADLINE_PASSED);
				return null;
			})))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo("locks/other"));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aBodyThatIsToGoOnAfterALossIsCommitted() throws Exception {
		this.work.notified(() -> {
			note();
			this.registry.holder("work").lose(LockLostReason.SESSION_INVALIDATED);
			return null;
		});
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void aBodyThatIsToGoOnAfterALossIsNotCommittedWithinOneThatIsCancelled() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.work.withoutTransaction(() -> this.work.notified(() -> {
				note();
				this.registry.holder("work").loseSilently(LockLostReason.SESSION_INVALIDATED);
				return null;
			})));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aBodyThatReleasedItsLockItselfIsCommitted() throws Exception {
		this.work.run(() -> {
			note();
			return LockHandle.current().release();
		});
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void aTransactionOfItsOwnWithinALockThatWasLostIsNotCommitted() throws Exception {
		TransactionTemplate inner = template(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			inner.executeWithoutResult((status) -> this.notes.write("before the loss"));
			this.registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> inner.executeWithoutResult((status) -> note()));
			return null;
		}));
		assertThat(this.notes.all()).containsExactly("before the loss");
	}

	@Test
	void aSavepointWithinALockThatWasLostTakesItsTransactionWithIt() {
		TransactionTemplate nested = template(TransactionDefinition.PROPAGATION_NESTED);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			note();
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> nested.execute((savepoint) -> {
				this.notes.write("nested");
				this.registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
				return null;
			}));
			return null;
		})).withCauseInstanceOf(UnexpectedRollbackException.class);
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void whoReadsUnderALockThatWasLostIsTold() {
		TransactionTemplate reading = template(TransactionDefinition.PROPAGATION_REQUIRED);
		reading.setReadOnly(true);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.withoutTransaction(() -> {
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> reading.execute((status) -> {
				this.registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
				return this.notes.all();
			}));
			return null;
		})).withNoCause();
	}

	@Test
	void aTransactionWithoutALockIsNobodysConcern() {
		this.context.getBean(TransactionTemplate.class).executeWithoutResult((status) -> note());
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void aCallInsideThatIsToGoOnLeavesTheOneAroundItAsItWas() throws Exception {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run(() -> {
			this.work.notified(() -> "joined");
			note();
			this.registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
			return null;
		}));
		assertThat(this.notes.all()).isEmpty();
	}

	@ParameterizedTest
	@ValueSource(classes = { FixedListeners.class, NeededEarly.class, BehindInterfaces.class })
	void theCheckIsAddedOnceToATransactionManagerOfTheUser(Class<?> configuration) {
		try (AnnotationConfigApplicationContext own = LockContext.start(Database.class, Work.class, configuration)) {
			FakeLockRegistry registry = LockContext.registry(own);
			Notes notes = own.getBean(Notes.class);
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> own.getBean(Work.class).run(() -> {
				notes.write("not to be committed");
				registry.holder("work").loseSilently(LockLostReason.DEADLINE_PASSED);
				return null;
			}));
			assertThat(notes.all()).isEmpty();
			assertThat(own.getBean("own", Own.class).checks()).hasSize(1);
		}
	}

	@Test
	void listenersOfTheUserStayAndComeFirst() {
		try (AnnotationConfigApplicationContext own = LockContext.start(Database.class, FixedListeners.class)) {
			assertThat(own.getBean(Own.class).listeners()).hasSize(2).first().isSameAs(FixedListeners.LISTENER);
		}
	}

	private @Nullable Object note() {
		this.notes.write("written");
		return null;
	}

	private TransactionTemplate template(int propagation) {
		TransactionTemplate template = new TransactionTemplate(this.context.getBean(PlatformTransactionManager.class));
		template.setPropagationBehavior(propagation);
		return template;
	}

	static class Work {

		@DistributedLock("work")
		@Transactional
		public <T extends @Nullable Object> T run(Callable<T> body) throws Exception {
			return body.call();
		}

		@DistributedLock("work")
		public <T extends @Nullable Object> T withoutTransaction(Callable<T> body) throws Exception {
			return body.call();
		}

		@DistributedLock(key = "work", onLost = LossPolicy.NOTIFY)
		@Transactional
		public <T extends @Nullable Object> T notified(Callable<T> body) throws Exception {
			return body.call();
		}

		@DistributedLock("other")
		public <T extends @Nullable Object> T runOther(Callable<T> body) throws Exception {
			return body.call();
		}

	}

	/**
	 * What the test asks of a transaction manager that is a bean itself or behind one.
	 */
	record Own(ConfigurableTransactionManager manager) {

		Collection<TransactionExecutionListener> listeners() {
			return this.manager.getTransactionExecutionListeners();
		}

		List<TransactionExecutionListener> checks() {
			return listeners().stream().filter(CommitCheck.class::isInstance).toList();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class FixedListeners {

		static final TransactionExecutionListener LISTENER = new TransactionExecutionListener() {

			@Override
			public void beforeCommit(TransactionExecution transaction) {
			}

		};

		@Bean
		@Primary
		JdbcTransactionManager ownTransactionManager(DataSource dataSource) {
			JdbcTransactionManager manager = new JdbcTransactionManager(dataSource);
			manager.setTransactionExecutionListeners(List.of(LISTENER));
			return manager;
		}

		@Bean
		Own own(JdbcTransactionManager ownTransactionManager) {
			return new Own(ownTransactionManager);
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class NeededEarly {

		@Bean
		@Primary
		static JdbcTransactionManager ownTransactionManager(DataSource dataSource) {
			return new JdbcTransactionManager(dataSource);
		}

		@Bean
		static Greedy greedy(JdbcTransactionManager ownTransactionManager) {
			return new Greedy();
		}

		@Bean
		Own own(JdbcTransactionManager ownTransactionManager) {
			return new Own(ownTransactionManager);
		}

	}

	static class Greedy implements BeanPostProcessor, PriorityOrdered {

		@Override
		public int getOrder() {
			return Ordered.HIGHEST_PRECEDENCE;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class BehindInterfaces {

		private final JdbcTransactionManager target;

		BehindInterfaces(DataSource dataSource) {
			this.target = new JdbcTransactionManager(dataSource);
		}

		@Bean
		@Primary
		PlatformTransactionManager ownTransactionManager() {
			Class<?>[] interfaces = { PlatformTransactionManager.class, ConfigurableTransactionManager.class };
			return (PlatformTransactionManager) Proxy.newProxyInstance(getClass().getClassLoader(), interfaces,
					(proxy, method, args) -> method.invoke(this.target, args));
		}

		@Bean
		Own own() {
			return new Own(this.target);
		}

	}

}
