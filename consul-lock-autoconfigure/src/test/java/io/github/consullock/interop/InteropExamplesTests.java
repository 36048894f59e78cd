package io.github.consullock.interop;

import java.time.Duration;
import java.util.Optional;

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

/**
 * The Java examples of {@code docs/interop.md}, each against what it is to exclude. The
 * Go examples there are what {@link GoDriver} does in its rounds.
 */
@ConsulTest
class InteropExamplesTests {

	private Participants participants;

	private ConsulLockRegistry registry;

	private Runnable meanwhile;

	private long token;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.participants = new Participants(consul.httpUri(), prefix.value());
		this.registry = this.participants.java();
		this.registry.obtain("warm-up").acquire().close();
	}

	@AfterEach
	void stop() {
		this.participants.close();
	}

	@Test
	void aLockThatGoHasToo() {
		GoDriver go = this.participants.go().does("lock " + this.participants.key("orders/42") + " wait=200ms");
		this.meanwhile = () -> assertThat(go.ask("acquire")).isEqualTo("denied");
		ConsulLockRegistry registry = this.registry;
		// tag::lock[]
		ConsulLock lock = registry.obtain("orders/42"); // the entry locks/orders/42
		try (LockHandle handle = lock.acquire()) {
			ship(42, handle.fencingToken());
		}
		// end::lock[]
		assertThat(this.token).isPositive();
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		assertThat(go.ask("release")).isEqualTo("released");
	}

	@Test
	void aSemaphoreThatGoHasToo() {
		GoDriver go = this.participants.go().does("semaphore " + this.participants.key("pool") + " 3 wait=200ms");
		GoDriver other = this.participants.go().does("semaphore " + this.participants.key("pool") + " 3 wait=200ms");
		GoDriver third = this.participants.go().does("semaphore " + this.participants.key("pool") + " 3 wait=200ms");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		assertThat(other.ask("acquire")).isEqualTo("acquired");
		this.meanwhile = () -> assertThat(third.ask("acquire")).isEqualTo("denied");
		ConsulLockRegistry registry = this.registry;
		// tag::semaphore[]
		ConsulSemaphore pool = registry.semaphore("pool", 3); // below locks/pool/
		try (LockHandle permit = pool.acquire()) {
			ship(42, permit.fencingToken());
		}
		// end::semaphore[]
		assertThat(this.token).isPositive();
		assertThat(third.ask("acquire")).isEqualTo("acquired");
		assertThat(third.ask("release")).isEqualTo("released");
	}

	@Test
	void aLockThatTheCommandHasToo(ConsulServer consul) {
		String executable = ConsulLockCommand.executable(consul);
		ConsulLockRegistry registry = this.registry;
		// tag::command[]
		ConsulLock backup = registry.obtain("backup/.lock"); // locks/backup/.lock
		Optional<LockHandle> handle = backup.tryAcquire(Duration.ZERO);
		// end::command[]
		try (ConsulLockCommand command = ConsulLockCommand.start(executable, this.participants.consul(),
				"-timeout=500ms", this.participants.key("backup"))) {
			assertThat(command.status()).isEqualTo(1);
		}
		assertThat(handle.orElseThrow().release()).isTrue();
		try (ConsulLockCommand command = ConsulLockCommand.start(executable, this.participants.consul(),
				this.participants.key("backup"))) {
			command.awaitRunning();
			assertThat(backup.tryAcquire(Duration.ZERO)).isEmpty();
			assertThat(command.end()).isZero();
		}
	}

	private void ship(int order, long fencingToken) {
		assertThat(order).isEqualTo(42);
		this.token = fencingToken;
		this.meanwhile.run();
	}

}
