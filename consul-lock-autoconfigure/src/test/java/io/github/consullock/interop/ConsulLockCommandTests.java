package io.github.consullock.interop;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulSemaphore;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Locks of this library and {@code consul lock}, which has its lock's entry below the
 * prefix that it is given: {@code PREFIX/.lock}.
 */
@ConsulTest
class ConsulLockCommandTests {

	private Participants participants;

	private String executable;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.executable = ConsulLockCommand.executable(consul);
		this.participants = new Participants(consul.httpUri(), prefix.value());
	}

	@AfterEach
	void stop() {
		if (this.participants != null) {
			this.participants.close();
		}
	}

	@Test
	void whatTheCommandHoldsIsNotToBeHadAndIsTakenWhenItsChildHasEnded() {
		ConsulLockCommand command = command("backup").awaitRunning();
		ConsulLockRegistry java = this.participants.java();
		java.obtain("warm-up").acquire().close();
		ConsulLock lock = java.obtain("backup/.lock");
		assertThat(lock.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(lock.tryAcquire(Duration.ofSeconds(1))).isEmpty();
		long index = this.participants.entry("backup/.lock").modifyIndex();
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(lock::acquire);
		assertThat(waiting).isNotDone();
		assertThat(command.end()).isZero();
		LockHandle handle = waiting.join();
		assertThat(handle.fencingToken()).isGreaterThan(index);
		assertThat(handle.release()).isTrue();
		assertThat(this.participants.entries("backup")).isEmpty();
	}

	@Test
	void theCommandGivesUpOrWaitsWhileThisLibraryHolds() {
		LockHandle handle = this.participants.java().obtain("backup/.lock").acquire();
		ConsulLockCommand impatient = command("-timeout=500ms", "backup");
		assertThat(impatient.status()).isEqualTo(1);
		assertThat(impatient.isRunning()).isFalse();
		ConsulLockCommand patient = command("backup");
		// Given more time than it needs to see that the lock is held.
		assertThat(command("-timeout=500ms", "backup").status()).isEqualTo(1);
		assertThat(patient.isRunning()).isFalse();
		assertThat(handle.release()).isTrue();
		patient.awaitRunning();
		assertThat(this.participants.entry("backup/.lock").modifyIndex()).isGreaterThan(handle.fencingToken());
		assertThat(patient.end()).isZero();
		// It leaves no entry either.
		assertThat(this.participants.entries("backup")).isEmpty();
	}

	@Test
	void theCommandEndsItsChildWhenThisLibraryHasTakenWhatAnOperatorDeleted() {
		ConsulLockCommand command = command("backup").awaitRunning();
		this.participants.delete("backup/.lock");
		LockHandle handle = this.participants.java().obtain("backup/.lock").acquire();
		// Its child has not been told to end, but is.
		command.status();
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
	}

	@Test
	void aLockIsNotTakenForTheCommandsSemaphoreNorTheOtherWayRound() {
		ConsulLockCommand several = command("-n=3", "backup").awaitRunning();
		ConsulLock lock = this.participants.java().obtain("backup/.lock");
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::acquire);
		assertThat(several.end()).isZero();
		LockHandle handle = lock.acquire();
		assertThat(command("-n=3", "backup").status()).isEqualTo(1);
		assertThat(handle.release()).isTrue();
	}

	@Test
	void permitsAreSharedAndWhoWaitsGetsThatOfTheOther() {
		ConsulSemaphore semaphore = this.participants.java().semaphore("backup", 3);
		LockHandle one = semaphore.acquire();
		LockHandle two = semaphore.acquire();
		ConsulLockCommand command = command("-n=3", "backup").awaitRunning();
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(command("-n=3", "-timeout=500ms", "backup").status()).isEqualTo(1);
		ConsulLockCommand waitingCommand = command("-n=3", "backup");
		assertThat(command("-n=3", "-timeout=500ms", "backup").status()).isEqualTo(1);
		assertThat(waitingCommand.isRunning()).isFalse();
		assertThat(one.release()).isTrue();
		waitingCommand.awaitRunning();
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(semaphore::acquire);
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(waiting).isNotDone();
		assertThat(command.end()).isZero();
		LockHandle third = waiting.join();
		assertThat(two.release()).isTrue();
		assertThat(third.release()).isTrue();
		assertThat(waitingCommand.end()).isZero();
		semaphore.destroy();
		assertThat(this.participants.entry("backup/.lock")).isNull();
	}

	private ConsulLockCommand command(String... arguments) {
		String[] qualified = arguments.clone();
		qualified[arguments.length - 1] = this.participants.key(arguments[arguments.length - 1]);
		return this.participants
			.closing(ConsulLockCommand.start(this.executable, this.participants.consul(), qualified));
	}

}
