package io.github.consullock.test.orders;

import java.time.Duration;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A Consul that does not answer for so long that locks are lost.
 */
@SpringJUnitConfig
@LocalLocks
@TestPropertySource(properties = { "consul.lock.session.ttl=10s", "consul.lock.session.lock-delay=10s" })
class DeadlineTests {

	@Test
	void aLockIsLostByItsDeadline(@Autowired ConsulLockRegistry registry, @Autowired LockLossSimulator locks) {
		LockHandle handle = registry.obtain("a").tryAcquire(Duration.ofMinutes(1)).orElseThrow();
		locks.lose("a", LockLostReason.DEADLINE_PASSED);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::ensureHeld)
			.extracting(LockLostException::reason)
			.isEqualTo(LockLostReason.DEADLINE_PASSED);
		// Consul answers again.
		assertThat(registry.obtain("b").tryAcquire(Duration.ofMinutes(1))).hasValueSatisfying(LockHandle::close);
	}

}
