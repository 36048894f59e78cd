package io.github.consullock.annotation;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.LongUnaryOperator;

import io.github.consullock.FaultyProxy;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabase;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseBuilder;
import org.springframework.jdbc.datasource.embedded.EmbeddedDatabaseType;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What a lock alone cannot prevent: a holder that was paused between its last look at the
 * lock and its write.
 */
@ConsulTest
@Timeout(180)
class FencedWriteTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private static final long ACCOUNT = 42;

	@Test
	void theDatabaseRefusesTheLateWriteOfAHolderThatWasPausedAndCutOff(ConsulServer consul, KeyPrefix prefix)
			throws Exception {
		CompletableFuture<LockHandle> paused = new CompletableFuture<>();
		CountDownLatch awake = new CountDownLatch(1);
		LongUnaryOperator pause = (id) -> {
			paused.complete(LockHandle.current());
			awaitUninterruptibly(awake);
			return 100;
		};
		EmbeddedDatabase database = new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2)
			.generateUniqueName(true)
			.build();
		JdbcClient jdbc = JdbcClient.create(database);
		createAccount(jdbc);
		try (FaultyProxy proxy = new FaultyProxy(consul.httpUri());
				ConsulClient proxied = HttpConsulClient.builder(proxy.uri()).build();
				ConsulClient direct = new PatientClient(consul.httpUri());
				AnnotationConfigApplicationContext first = instance(proxied, prefix, jdbc, pause);
				AnnotationConfigApplicationContext second = instance(direct, prefix, jdbc, (id) -> 200)) {
			FutureTask<Void> late = new FutureTask<>(() -> {
				first.getBean(Accounts.class).revalue(ACCOUNT);
				return null;
			});
			new Thread(late).start();
			LockHandle stale = paused.get();
			proxy.fallSilent();
			String session = direct.read(stale.key(), AMPLE).orElseThrow().session();
			direct.destroySession(Objects.requireNonNull(session));

			second.getBean(Accounts.class).revalue(ACCOUNT);
			Account written = account(jdbc);
			assertThat(written.balance()).isEqualTo(200);
			assertThat(written.token()).isGreaterThan(stale.fencingToken());

			awake.countDown();
			assertThatExceptionOfType(ExecutionException.class).isThrownBy(late::get)
				.havingCause()
				.isInstanceOfAny(OptimisticLockingFailureException.class, LockLostException.class)
				.satisfies((ex) -> assertThat(refusal(ex)).hasMessageContaining("written by a later holder"));
			assertThat(account(jdbc)).isEqualTo(written);
			// What shuts down need not wait for answers that will never come.
			proxy.close();
		}
		finally {
			database.shutdown();
		}
	}

	@Test
	void aHolderMayWriteAsOftenAsItLikes(ConsulServer consul, KeyPrefix prefix) {
		EmbeddedDatabase database = new EmbeddedDatabaseBuilder().setType(EmbeddedDatabaseType.H2)
			.generateUniqueName(true)
			.build();
		JdbcClient jdbc = JdbcClient.create(database);
		createAccount(jdbc);
		try (ConsulClient client = new PatientClient(consul.httpUri());
				AnnotationConfigApplicationContext instance = instance(client, prefix, jdbc, (id) -> 200)) {
			instance.getBean(Twice.class).revalue(ACCOUNT);
			Account first = account(jdbc);
			instance.getBean(Twice.class).revalue(ACCOUNT);
			assertThat(account(jdbc).token()).isGreaterThan(first.token());
		}
		finally {
			database.shutdown();
		}
	}

	/** Before its deadline, and so not by an interrupt, it does not know of the loss. */
	private static Throwable refusal(Throwable failure) {
		return (failure instanceof LockLostException lost) ? Objects.requireNonNull(lost.getCause()) : failure;
	}

	private static void awaitUninterruptibly(CountDownLatch latch) {
		boolean interrupted = false;
		while (true) {
			try {
				latch.await();
				break;
			}
			catch (InterruptedException ex) {
				interrupted = true;
			}
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private static AnnotationConfigApplicationContext instance(ConsulClient client, KeyPrefix prefix, JdbcClient jdbc,
			LongUnaryOperator valuation) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Accounts.class, Twice.class);
		context.registerBean(JdbcClient.class, () -> jdbc);
		context.registerBean(LongUnaryOperator.class, () -> valuation);
		// Without lock-delay, as if somebody had deleted the key: nothing but the token
		// keeps the late write out.
		context.registerBean(ConsulLockRegistry.class, () -> ConsulLockRegistry.builder(client)
			.keyPrefix(prefix.value())
			.session(SessionSettings.DEFAULTS.withAllowUnsafe(true).withTimes(Duration.ofSeconds(30), Duration.ZERO))
			.waitTime(AMPLE)
			.shutdownTimeout(Duration.ofMillis(200))
			.build());
		context.refresh();
		return context;
	}

	private static void createAccount(JdbcClient jdbc) {
		jdbc.sql("create table account (id bigint primary key, balance bigint not null, token bigint not null)")
			.update();
		jdbc.sql("insert into account values (?, 0, 0)").param(ACCOUNT).update();
	}

	private static Account account(JdbcClient jdbc) {
		return jdbc.sql("select balance, token from account where id = ?").param(ACCOUNT).query(Account.class).single();
	}

	record Account(long balance, long token) {

	}

	static class Accounts {

		private final JdbcClient jdbc;

		private final LongUnaryOperator valuation;

		Accounts(JdbcClient jdbc, LongUnaryOperator valuation) {
			this.jdbc = jdbc;
			this.valuation = valuation;
		}

		// tag::fenced-write[]
		@DistributedLock("accounts/#{#id}")
		public void revalue(long id) {
			long token = LockHandle.current().fencingToken();
			long balance = this.valuation.applyAsLong(id);
			int rows = this.jdbc.sql("update account set balance = ?, token = ? where id = ? and token <= ?")
				.params(balance, token, id, token)
				.update();
			if (rows == 0) {
				throw new OptimisticLockingFailureException("Account " + id + " was written by a later holder");
			}
		}
		// end::fenced-write[]

	}

	static class Twice {

		private final Accounts accounts;

		Twice(Accounts accounts) {
			this.accounts = accounts;
		}

		@DistributedLock("accounts/#{#id}")
		public void revalue(long id) {
			this.accounts.revalue(id);
			this.accounts.revalue(id);
		}

	}

}
