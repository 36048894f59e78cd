package io.github.consullock.test;

import java.time.Duration;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A loss that comes too late.
 */
class LockLossTests {

	private final InMemoryConsul consul = new InMemoryConsul();

	private final ConsulClient client = this.consul.newApplicationClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.client).build();

	@AfterEach
	void close() {
		this.registry.close();
		this.client.close();
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER", "SESSION_INVALIDATED" })
	void aHoldThatWasReleasedIsNotLostAndNeitherIsTheNext(LockLostReason reason) {
		LockHandle first = acquire();
		LockLoss loss = new LockLoss(this.consul, first, first.key(), reason);
		first.release();
		LockHandle next = acquire();
		assertThat(loss.happen())
			.hasValueSatisfying((problem) -> assertThat(problem).contains("released before it was lost"));
		assertThat(next.isHeld()).isTrue();
		assertThat(next.release()).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER", "SESSION_INVALIDATED" })
	void nothingOfTheOtherSessionStays(LockLostReason reason) {
		LockHandle handle = acquire();
		assertThat(new LockLoss(this.consul, handle, handle.key(), reason).happen()).isEmpty();
		assertThat(this.client.read(handle.key(), Duration.ofSeconds(1))).satisfiesAnyOf(
				(entry) -> assertThat(entry).isEmpty(), (entry) -> assertThat(entry.orElseThrow().session()).isNull());
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER" })
	void aHoldThatWasLostOtherwiseIsReportedAsSuch(LockLostReason reason) {
		LockHandle handle = acquire();
		LockLoss loss = new LockLoss(this.consul, handle, handle.key(), reason);
		new LockLoss(this.consul, handle, handle.key(), LockLostReason.SESSION_INVALIDATED).happen();
		assertThat(loss.happen())
			.hasValueSatisfying((problem) -> assertThat(problem).contains("another reason", "SESSION_INVALIDATED"));
	}

	private LockHandle acquire() {
		return this.registry.obtain("a").tryAcquire(Duration.ofMinutes(1)).orElseThrow();
	}

}
