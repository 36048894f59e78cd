package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.InMemoryConsulClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * How long an engine lasts.
 */
class EnginesTests {

	private static final EngineSpec LASTING = new EngineSpec(ConsulScope.DEFAULT, Instances.SAFE, null);

	private static final EngineSpec OTHER = EngineSpec.of(LockOptions.builder("a").sessionName("other").build(),
			Instances.SAFE);

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final Background background = new Background();

	private final Engines engines = new Engines(ConsulLockRegistry.builder(this.consul).shutdownTimeout(Duration.ZERO),
			this.background, LASTING, Duration.ofMillis(50));

	@AfterEach
	void close() {
		this.engines.close(Duration.ZERO);
		this.background.close();
		this.consul.close();
	}

	@Test
	void oneForOtherSettingsGoesWhenNothingIsHeldAnyMoreAndComesAgain() {
		LockDoor lock = door(OTHER);
		LockHandle handle = lock.acquire();
		LockEngine first = this.engines.present().findFirst().orElseThrow();
		await().pollDelay(Duration.ofMillis(500)).until(() -> this.engines.present().toList().contains(first));
		assertThat(handle.isHeld()).isTrue();
		String session = ((Hold) handle).session().id();
		handle.close();
		await().until(() -> this.engines.present().findAny().isEmpty());
		await().until(() -> this.consul.sessionInfo(session, Duration.ofSeconds(2)).isEmpty());
		try (LockHandle again = lock.acquire()) {
			assertThat(again.fencingToken()).isGreaterThan(handle.fencingToken());
		}
	}

	@Test
	void theRegistrysOwnLasts() {
		door(LASTING).acquire().close();
		door(OTHER).acquire().close();
		await().until(() -> this.engines.present().count() == 1);
		await().pollDelay(Duration.ofMillis(300)).until(() -> this.engines.present().count() == 1);
	}

	private LockDoor door(EngineSpec spec) {
		LockRequest request = new LockRequest(KeyLock.of("locks/", List.of("a")), () -> "", true, Duration.ofMinutes(1),
				false, Duration.ZERO, null);
		return new LockDoor(this.engines, spec, this.consul, request);
	}

}
