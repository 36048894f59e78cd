package io.github.consullock.annotation;

import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.annotation.Database.Notes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.UnexpectedRollbackException;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionSynchronizationUtils;
import org.springframework.transaction.support.TransactionTemplate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

@ExtendWith(OutputCaptureExtension.class)
class LockWithinTransactionTests {

	private final AnnotationConfigApplicationContext context = LockContext.start(Database.class, Work.class);

	private final FakeLockRegistry registry = LockContext.registry(this.context);

	private final List<String> events = this.registry.events;

	private final Notes notes = this.context.getBean(Notes.class);

	private final PlatformTransactionManager transactions = this.context.getBean(PlatformTransactionManager.class);

	private final TransactionTemplate transaction = this.context.getBean(TransactionTemplate.class);

	private final Work work = this.context.getBean(Work.class);

	@AfterEach
	void leaveNothingBehind() {
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		assertThat(this.registry.isFree()).isTrue();
		assertThat(AnnotatedHolds.isCurrent()).as("what this thread keeps").isFalse();
		this.context.close();
	}

	@Test
	void theLockIsReleasedAfterTheCommit() {
		this.transaction.executeWithoutResult((status) -> {
			recordCompletion();
			this.work.run("a", this::note);
			assertThat(this.registry.holder("a").isHeld()).isTrue();
			assertThatExceptionOfType(IllegalStateException.class).isThrownBy(LockHandle::current);
			this.events.add("end of transaction");
		});
		assertThat(this.events).containsExactly("acquire locks/a", "end of transaction", "committed",
				"release locks/a");
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void theLockIsReleasedAfterTheRollback() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("a", this::note);
			status.setRollbackOnly();
			this.events.add("end of transaction");
		});
		assertThat(this.events).containsExactly("acquire locks/a", "end of transaction", "release locks/a");
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void theLockOfABodyThatFailsIsKeptAsWell() {
		this.transaction.executeWithoutResult((status) -> {
			assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> this.work.run("a", () -> {
				throw new IllegalArgumentException("of the body");
			}));
			assertThat(this.registry.holder("a").isHeld()).isTrue();
		});
		assertThat(this.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void severalLocksAreReleasedInReverseOrder() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("a", () -> this.work.run("b", () -> null));
			this.work.run("c", () -> null);
		});
		assertThat(this.events).containsExactly("acquire locks/a", "acquire locks/b", "acquire locks/c",
				"release locks/c", "release locks/b", "release locks/a");
	}

	@Test
	void severalKeysAndPermitsAreReleasedAfterTheCommitToo() {
		this.transaction.executeWithoutResult((status) -> {
			recordCompletion();
			this.work.both("a", "b", this::note);
			this.work.limited("c", () -> null);
			this.events.add("end of transaction");
		});
		assertThat(this.events).containsExactly("acquire locks/a locks/b", "acquire locks/c#1", "end of transaction",
				"committed", "release locks/c#1", "release locks/a locks/b");
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void callsOfTheSameKeyJoinUntilTheTransactionHasCompleted() {
		this.transaction.executeWithoutResult((status) -> {
			LockHandle first = this.work.run("a", LockHandle::current);
			assertThat(this.work.run("a", LockHandle::current)).isSameAs(first);
			assertThat(requiresNew().<LockHandle>execute((inner) -> this.work.run("a", LockHandle::current)))
				.isSameAs(first);
			assertThat(first.isHeld()).isTrue();
			this.work.run("b", () -> this.work.run("a", () -> null));
		});
		this.work.run("a", () -> null);
		assertThat(this.events).containsExactly("acquire locks/a", "acquire locks/b", "release locks/b",
				"release locks/a", "acquire locks/a", "release locks/a");
	}

	@Test
	void aLockOfAnInnerTransactionEndsWithThatOne() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("outer", () -> null);
			requiresNew().executeWithoutResult((inner) -> this.work.run("inner", () -> null));
			this.events.add("end of transaction");
		});
		assertThat(this.events).containsExactly("acquire locks/outer", "acquire locks/inner", "release locks/inner",
				"end of transaction", "release locks/outer");
	}

	@Test
	void aLockAroundTheTransactionIsJoinedAndNotKept() {
		this.work.run("a", () -> {
			this.transaction.executeWithoutResult((status) -> this.work.run("a", () -> null));
			this.events.add("end of transaction");
			return null;
		});
		assertThat(this.events).containsExactly("acquire locks/a", "end of transaction", "release locks/a");
	}

	@Test
	void aLossAfterTheBodyRollsTheTransactionBackAndInterruptsNobody(CapturedOutput output) {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.transaction.executeWithoutResult((status) -> {
				this.work.run("a", this::note);
				this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
				assertThat(Thread.currentThread().isInterrupted()).isFalse();
				assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.work.run("a", this::note));
			}))
			.satisfies((ex) -> {
				assertThat(ex.key()).isEqualTo("locks/a");
				assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
			});
		assertThat(this.notes.all()).isEmpty();
		assertThat(output).doesNotContain("by the time its transaction had ended");
	}

	@Test
	void aLossInTheBodyRollsTheTransactionBackThoughTheCallerCatchesIt() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.transaction
			.executeWithoutResult((status) -> assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> this.work.run("a", () -> {
					this.registry.holder("a").lose(LockLostReason.KEY_DELETED);
					return note();
				}))));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aBodyThatJoinsIsCancelledByALoss() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.transaction.executeWithoutResult((status) -> {
				this.work.run("a", () -> null);
				this.work.run("a", () -> {
					this.registry.holder("a").lose(LockLostReason.KEY_DELETED);
					assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> Thread.sleep(60_000));
					return note();
				});
			}));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void theLossOfALockUnderWhichOnlyBodiesRanThatGoOnIsNoReasonToRollBack() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.notified("a", this::note);
			this.registry.holder("a").loseSilently(LockLostReason.KEY_DELETED);
		});
		assertThat(this.notes.all()).containsExactly("written");
	}

	@Test
	void theLossOfALockUnderWhichAlsoABodyRanThatIsCancelledRollsBack() {
		assertThatExceptionOfType(LockLostException.class)
			.isThrownBy(() -> this.transaction.executeWithoutResult((status) -> {
				this.work.notified("a", () -> null);
				this.work.run("a", this::note);
				this.registry.holder("a").loseSilently(LockLostReason.KEY_DELETED);
			}));
		assertThat(this.notes.all()).isEmpty();
	}

	@Test
	void aLossDuringTheCommitIsLogged(CapturedOutput output) {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("a", this::note);
			TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {

				@Override
				public void afterCommit() {
					LockWithinTransactionTests.this.registry.holder("a").lose(LockLostReason.KEY_DELETED);
				}

			});
		});
		assertThat(output).contains("'locks/a' (fencing token 1) was lost by the time its transaction had ended");
	}

	@Test
	void aThreadThatIsInterruptedReleasesAndStaysInterrupted() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("a", () -> null);
			Thread.currentThread().interrupt();
		});
		assertThat(Thread.interrupted()).isTrue();
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void aBodyThatCompletesTheTransactionAroundItKeepsItsLockToItsEnd() {
		TransactionStatus status = this.transactions.getTransaction(null);
		this.work.run("a", () -> {
			note();
			this.transactions.commit(status);
			assertThat(LockHandle.current().isHeld()).isTrue();
			this.events.add("committed");
			return null;
		});
		assertThat(this.events).containsExactly("acquire locks/a", "committed", "release locks/a");
	}

	@Test
	void aBodyThatReleasesItsLockItselfMayAcquireItAgain() {
		this.transaction.executeWithoutResult((status) -> {
			this.work.run("a", () -> LockHandle.current().release());
			this.work.run("a", () -> null);
			this.work.run("a", () -> null);
		});
		assertThat(this.events).containsExactly("acquire locks/a", "release locks/a", "acquire locks/a",
				"release locks/a");
	}

	@Test
	void theTransactionMayBeCompletedByAnotherThread() throws Exception {
		TransactionSynchronizationManager.initSynchronization();
		TransactionSynchronizationManager.setActualTransactionActive(true);
		try {
			this.work.run("a", () -> null);
			List<TransactionSynchronization> ending = TransactionSynchronizationManager.getSynchronizations();
			Thread other = new Thread(() -> TransactionSynchronizationUtils.invokeAfterCompletion(ending,
					TransactionSynchronization.STATUS_UNKNOWN));
			other.start();
			other.join();
			assertThat(this.registry.isFree()).isTrue();
		}
		finally {
			TransactionSynchronizationManager.clear();
		}
		this.work.run("a", () -> null);
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void aCallAfterTheCommitThatStillBelongsToTheTransactionReleasesToo() {
		this.transaction.executeWithoutResult(
				(status) -> TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {

					@Override
					public void afterCommit() {
						call("after-commit");
					}

					@Override
					public void afterCompletion(int status) {
						call("after-completion");
					}

					private void call(String key) {
						LockWithinTransactionTests.this.work.run(key, () -> null);
					}

				}));
		assertThat(this.events).containsExactly("acquire locks/after-commit", "acquire locks/after-completion",
				"release locks/after-completion", "release locks/after-commit");
	}

	@Test
	void aTransactionThatEndsWithItsThreadKeepsNoLock(CapturedOutput output) throws Exception {
		Thread thread = new Thread(() -> {
			TransactionSynchronizationManager.initSynchronization();
			TransactionSynchronizationManager.setActualTransactionActive(true);
			this.work.run("a", () -> null);
		});
		thread.start();
		thread.join();
		assertThat(this.events).containsExactly("acquire locks/a");
		await().until(() -> {
			System.gc();
			return this.registry.isFree();
		});
		assertThat(output).contains("'locks/a' is released, since the thread has ended");
	}

	@Test
	void aTransactionMarkedForRollbackFailsAsEver() {
		assertThatExceptionOfType(UnexpectedRollbackException.class)
			.isThrownBy(() -> this.transaction.executeWithoutResult((status) -> {
				this.work.run("a", this::note);
				this.transaction.executeWithoutResult(TransactionStatus::setRollbackOnly);
			}));
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void withoutATransactionTheLockEndsWithTheBody() {
		TransactionTemplate supports = new TransactionTemplate(this.transactions);
		supports.setPropagationBehavior(TransactionDefinition.PROPAGATION_SUPPORTS);
		supports.executeWithoutResult((status) -> {
			this.work.run("a", () -> null);
			assertThat(this.registry.isFree()).isTrue();
		});
	}

	@Test
	void theLockOfAMethodThatReturnsAFutureEndsWithItsWork() {
		this.transaction.executeWithoutResult((status) -> {
			assertThat(this.work.later("a").join()).isEqualTo("done");
			await().until(this.registry::isFree);
		});
	}

	private TransactionTemplate requiresNew() {
		TransactionTemplate template = new TransactionTemplate(this.transactions);
		template.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
		return template;
	}

	private void recordCompletion() {
		TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {

			@Override
			public void afterCommit() {
				LockWithinTransactionTests.this.events.add("committed");
			}

		});
	}

	private @Nullable Object note() {
		this.notes.write("written");
		return null;
	}

	static class Work {

		@DistributedLock("#{#key}")
		public <T extends @Nullable Object> T run(String key, Body<T> body) {
			return body.run();
		}

		@DistributedLock(keys = { "#{#first}", "#{#second}" })
		public <T extends @Nullable Object> T both(String first, String second, Body<T> body) {
			return body.run();
		}

		@DistributedLock(key = "#{#key}", limit = 2)
		public <T extends @Nullable Object> T limited(String key, Body<T> body) {
			return body.run();
		}

		@DistributedLock("#{#key}")
		public CompletableFuture<String> later(String key) {
			return CompletableFuture.completedFuture("done");
		}

		@DistributedLock(key = "#{#key}", onLost = LossPolicy.NOTIFY)
		public <T extends @Nullable Object> T notified(String key, Body<T> body) {
			return body.run();
		}

	}

	interface Body<T extends @Nullable Object> {

		T run();

	}

}
