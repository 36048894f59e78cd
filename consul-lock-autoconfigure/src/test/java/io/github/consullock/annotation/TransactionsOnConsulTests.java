package io.github.consullock.annotation;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;

import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.annotation.Database.Notes;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulLockRegistryBuilder;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

@ConsulTest
@Timeout(120)
class TransactionsOnConsulTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private final PatientClient client;

	private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

	private String prefix = "";

	TransactionsOnConsulTests(ConsulServer consul) {
		this.client = new PatientClient(consul.httpUri());
	}

	@BeforeEach
	void start(KeyPrefix keys) {
		this.prefix = keys.value();
		this.context.register(LockContext.Locking.class, Database.class, Work.class);
		this.context.registerBean(ConsulLockRegistry.class, () -> registry().build());
		this.context.refresh();
	}

	@AfterEach
	void leaveNothingBehind() {
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		assertThat(this.context.getBean(ConsulLockRegistry.class).heldLocks()).isEmpty();
		assertThat(this.client.read(this.prefix + "work", AMPLE).map(KvEntry::session)).as("who holds it").isEmpty();
		this.context.close();
		this.client.close();
	}

	@Test
	void nobodyHoldsALockThatWasAcquiredWithinATransactionBeforeItsCommitIsVisible() throws Exception {
		CountDownLatch waiting = new CountDownLatch(1);
		LockListener listener = new LockListener() {

			@Override
			public void waiting(String key) {
				waiting.countDown();
			}

		};
		try (ConsulLockRegistry other = registry().listener(listener).build()) {
			FutureTask<List<String>> seen = new FutureTask<>(
					() -> other.executeLocked("work", AMPLE, () -> notes().all()));
			transaction().executeWithoutResult((status) -> {
				work().run(() -> notes().write("written"));
				new Thread(seen).start();
				await().until(() -> waiting.getCount() == 0);
			});
			assertThat(seen.get()).containsExactly("written");
		}
	}

	@Test
	void aTransactionIsRolledBackWhoseSessionWasDestroyedBeforeTheCommit() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> work().runInTransaction(() -> {
			notes().write("not to be committed");
			lose(LockHandle.current());
		})).satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		assertThat(notes().all()).isEmpty();
	}

	@Test
	void aTransactionIsRolledBackWhoseLockWasLostAfterTheBody() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> transaction().executeWithoutResult((status) -> {
				LockHandle[] handle = new LockHandle[1];
				work().run(() -> {
					notes().write("not to be committed");
					handle[0] = LockHandle.current();
				});
				lose(handle[0]);
			}))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(this.prefix + "work"));
		assertThat(notes().all()).isEmpty();
	}

	@Test
	void aTransactionOfATaskIsRolledBackWhoseLockWasLost() {
		ConsulLockRegistry registry = this.context.getBean(ConsulLockRegistry.class);
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> registry.executeLocked("work", AMPLE, () -> transaction().<Boolean>execute((status) -> {
				notes().write("not to be committed");
				lose(LockHandle.current());
				return true;
			})));
		assertThat(notes().all()).isEmpty();
	}

	/** As a paused process does, this thread learns of the loss late. */
	private void lose(LockHandle handle) {
		String session = this.client.read(handle.key(), AMPLE).orElseThrow().session();
		this.client.destroySession(Objects.requireNonNull(session));
		boolean interrupted = false;
		while (handle.isHeld()) {
			Thread.onSpinWait();
			interrupted |= Thread.interrupted();
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private ConsulLockRegistryBuilder registry() {
		return ConsulLockRegistry.builder(this.client)
			.keyPrefix(this.prefix)
			.session(SessionSettings.DEFAULTS.withAllowUnsafe(true).withTimes(Duration.ofSeconds(30), Duration.ZERO))
			.waitTime(AMPLE)
			.shutdownTimeout(Duration.ofMillis(200));
	}

	private Notes notes() {
		return this.context.getBean(Notes.class);
	}

	private TransactionTemplate transaction() {
		return this.context.getBean(TransactionTemplate.class);
	}

	private Work work() {
		return this.context.getBean(Work.class);
	}

	static class Work {

		@DistributedLock("work")
		public void run(Runnable body) {
			body.run();
		}

		@DistributedLock("work")
		@Transactional
		public void runInTransaction(Runnable body) {
			body.run();
		}

	}

}
