package io.github.consullock.autoconfigure;

import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

import javax.sql.DataSource;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.annotation.CommitCheckPostProcessor;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionManagerCustomizationAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.ClassUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class LockTransactionTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class))
		.withBean(ConsulClient.class, InMemoryConsulClient::new)
		.withBean(Work.class);

	private final ApplicationContextRunner withDatabase = this.runner
		.withConfiguration(AutoConfigurations.of(DataSourceAutoConfiguration.class))
		.withPropertyValues("spring.datasource.generate-unique-name=true");

	private final ApplicationContextRunner withTransactions = this.withDatabase
		.withConfiguration(AutoConfigurations.of(TransactionManagerCustomizationAutoConfiguration.class,
				DataSourceTransactionManagerAutoConfiguration.class, TransactionAutoConfiguration.class));

	@Test
	void theTransactionManagerOfTheApplicationChecksItsLocks() {
		this.withTransactions.run((context) -> assertThat(committed(context)).isFalse());
	}

	/** By itself, Spring commits what ends with a checked exception. */
	@Test
	void whatABodyWroteThatWasCancelledAndEndsWithACheckedExceptionIsNotThere() {
		this.withTransactions.run((context) -> {
			JdbcTemplate jdbc = new JdbcTemplate(context.getBean(DataSource.class));
			jdbc.execute("create table note (text varchar(100))");
			Work work = context.getBean(Work.class);
			assertThatExceptionOfType(InterruptedIOException.class).isThrownBy(() -> work.inTransaction(() -> {
				jdbc.execute("insert into note values ('written')");
				throw new InterruptedIOException("by somebody else");
			}));
			assertThat(jdbc.queryForList("select text from note", String.class)).containsExactly("written");
			ConsulClient client = context.getBean(ConsulClient.class);
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> work.inTransaction(() -> {
				jdbc.execute("insert into note values ('written when cancelled')");
				String session = client.read(LockHandle.current().key(), AMPLE).orElseThrow().session();
				client.destroySession(Objects.requireNonNull(session));
				try {
					new CountDownLatch(1).await();
					return null;
				}
				catch (InterruptedException ex) {
					throw (IOException) new InterruptedIOException("cancelled").initCause(ex);
				}
			}));
			assertThat(jdbc.queryForList("select text from note", String.class)).containsExactly("written");
		});
	}

	@Test
	void aTransactionManagerThatTheUserDeclaredChecksItsLocks() {
		this.withDatabase.withUserConfiguration(OwnTransactionManager.class)
			.run((context) -> assertThat(committed(context)).isFalse());
	}

	@Test
	void theCheckCanBeSwitchedOff() {
		this.withTransactions.withPropertyValues("consul.lock.transaction.check-before-commit=false")
			.run((context) -> assertThat(committed(context)).isTrue());
	}

	@Test
	void theCheckBacksOffForTheUsersOwn() {
		this.withTransactions
			.withBean("own", CommitCheckPostProcessor.class,
					() -> new CommitCheckPostProcessor(new DefaultListableBeanFactory(), false))
			.run((context) -> {
				assertThat(context).hasSingleBean(CommitCheckPostProcessor.class);
				assertThat(committed(context)).isTrue();
			});
	}

	@Test
	void thereIsNoCheckWhereLocksAreSwitchedOff() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class))
			.withPropertyValues("consul.lock.enabled=false")
			.withBean(ConfigurableTransactionManager.class,
					() -> new JdbcTransactionManager(new DriverManagerDataSource()))
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(CommitCheckPostProcessor.class)
				.getBean(ConfigurableTransactionManager.class)
				.satisfies((manager) -> assertThat(manager.getTransactionExecutionListeners()).isEmpty()));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "consul.lock.transaction.if-active=release-after-completion",
			"consul.lock.transaction.if-active=RELEASE_AFTER_COMPLETION" })
	void aLockThatIsAcquiredWithinATransactionIsReleasedAfterIt(String property) {
		this.withTransactions.withPropertyValues(property).run((context) -> {
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			context.getBean(TransactionTemplate.class).executeWithoutResult((status) -> {
				context.getBean(Work.class).run();
				assertThat(registry.heldLocks()).hasSize(1);
			});
			assertThat(registry.heldLocks()).isEmpty();
		});
	}

	@Test
	void aLockMayBeRefusedWithinATransactionUnlessItIsHeldAlready() {
		this.withTransactions.withPropertyValues("consul.lock.transaction.if-active=refuse").run((context) -> {
			Work work = context.getBean(Work.class);
			TransactionTemplate transaction = context.getBean(TransactionTemplate.class);
			assertThatIllegalStateException().isThrownBy(() -> transaction.executeWithoutResult((status) -> work.run()))
				.withMessageContainingAll(Work.class.getName() + ".run", "'locks/work'",
						"Move @DistributedLock to the method that begins the transaction",
						"consul.lock.transaction.if-active=release-after-completion");
			assertThat(context.getBean(ConsulLockRegistry.class).heldLocks()).isEmpty();
			assertThat(work.<@Nullable String>call(() -> transaction.execute((status) -> work.run()))).isEqualTo("ran");
		});
	}

	@Test
	void locksWorkInAnApplicationWithoutTransactions() {
		this.runner.withClassLoader(new FilteredClassLoader("org.springframework.transaction")).run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(context.getBeansOfType(CommitCheckPostProcessor.class)).isEmpty();
			assertThat(context.getBean(Work.class).run()).isEqualTo("ran");
		});
	}

	@Test
	void nothingOfSpringsTransactionsIsNeededToLock() throws Exception {
		List<URL> urls = new ArrayList<>();
		for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
			if (!Path.of(entry).getFileName().toString().matches("spring-(tx|jdbc|boot-jdbc|boot-transaction)-.*jar")) {
				urls.add(Path.of(entry).toUri().toURL());
			}
		}
		try (URLClassLoader without = new URLClassLoader(urls.toArray(URL[]::new),
				ClassLoader.getPlatformClassLoader())) {
			Callable<?> application = (Callable<?>) Class.forName(WithoutTransactions.class.getName(), true, without)
				.getDeclaredConstructor()
				.newInstance();
			Thread thread = Thread.currentThread();
			ClassLoader before = thread.getContextClassLoader();
			thread.setContextClassLoader(without);
			try {
				assertThat(application.call()).isEqualTo("ran");
			}
			finally {
				thread.setContextClassLoader(before);
			}
		}
	}

	/** Whether a transaction was committed whose lock was lost before. */
	private static boolean committed(ApplicationContext context) {
		JdbcTemplate jdbc = new JdbcTemplate(context.getBean(DataSource.class));
		jdbc.execute("create table note (text varchar(100))");
		ConsulClient client = context.getBean(ConsulClient.class);
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> context.getBean(Work.class).inTransaction(() -> {
				jdbc.execute("insert into note values ('written')");
				LockHandle handle = LockHandle.current();
				String session = client.read(handle.key(), AMPLE).orElseThrow().session();
				client.destroySession(Objects.requireNonNull(session));
				while (handle.isHeld()) {
					Thread.onSpinWait();
				}
				return null;
			}));
		assertThat(Thread.interrupted()).isFalse();
		return jdbc.queryForObject("select count(*) from note", Integer.class) == 1;
	}

	/** Public, to be proxied by another class loader. */
	public static class Work {

		@DistributedLock("work")
		public String run() {
			return "ran";
		}

		@DistributedLock("work")
		public <T extends @Nullable Object> T call(Callable<T> body) throws Exception {
			return body.call();
		}

		@DistributedLock("work")
		@Transactional
		public <T extends @Nullable Object> T inTransaction(Callable<T> body) throws Exception {
			return body.call();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement
	static class OwnTransactionManager {

		@Bean
		JdbcTransactionManager ownTransactionManager(DataSource dataSource) {
			return new JdbcTransactionManager(dataSource);
		}

	}

	/** Runs in a class loader of its own. */
	public static class WithoutTransactions implements Callable<String> {

		@Override
		public String call() {
			if (ClassUtils.isPresent("org.springframework.transaction.TransactionManager",
					getClass().getClassLoader())) {
				return "with transactions";
			}
			try (AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext()) {
				context.getEnvironment()
					.getPropertySources()
					.addFirst(new MapPropertySource("test", Map.of("consul.lock.mode", "local")));
				context.register(ConsulLockAutoConfiguration.class, Plain.class);
				context.refresh();
				return context.getBean(Plain.class).run();
			}
		}

	}

	static class Plain {

		@DistributedLock("work")
		public String run() {
			return "ran";
		}

	}

}
