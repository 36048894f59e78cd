package io.github.consullock.lock;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.ForwardingClient;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvOperation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * How long an engine lasts.
 */
class EnginesTests {

	private static final EngineSpec LASTING = new EngineSpec(ConsulScope.DEFAULT, Instances.SAFE, null);

	private static final EngineSpec OTHER = EngineSpec.of(LockOptions.builder("a").sessionName("other").build(),
			LASTING);

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final Background background = new Background();

	private final AtomicReference<Runnable> beforeDestroy = new AtomicReference<>(() -> {
	});

	private final ConsulClient client = new ForwardingClient(this.consul) {

		@Override
		public void destroySession(String sessionId) {
			EnginesTests.this.beforeDestroy.getAndSet(() -> {
			}).run();
			super.destroySession(sessionId);
		}

	};

	private final Engines engines = engines(Duration.ofMillis(50));

	/** Looked at by the test alone. */
	private final Engines unattended = engines(Duration.ofHours(1));

	private Engines engines(Duration idle) {
		return new Engines(ConsulLockRegistry.builder(this.client).shutdownTimeout(Duration.ZERO), this.background,
				LASTING, idle);
	}

	@AfterEach
	void close() {
		this.engines.close(Duration.ZERO);
		this.unattended.close(Duration.ZERO);
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

	@Test
	void oneIsIdleForTheWholeTimeBetweenTwoLooksBeforeItGoes() {
		LockDoor lock = door(this.unattended, OTHER, KeyLock.of("locks/", List.of("a")));
		LockHandle handle = lock.acquire();
		look();
		look();
		handle.close();
		look();
		assertThat(isPresent()).isTrue();
		lock.acquire().close();
		look();
		assertThat(isPresent()).isTrue();
		look();
		assertThat(isPresent()).isFalse();
	}

	@Test
	void aLookBetweenALossAndTheSettlingOfItsRemainsRetiresNothing() {
		AtomicInteger looks = new AtomicInteger();
		KeyLock keys = KeyLock.of("locks/", List.of("a", "b"));
		LockKind looking = (LockKind) Proxy.newProxyInstance(LockKind.class.getClassLoader(),
				new Class<?>[] { LockKind.class }, (proxy, method, arguments) -> {
					if (method.getName().equals("hasSeveralEntries")) {
						looks.incrementAndGet();
						look();
					}
					return method.invoke(keys, arguments);
				});
		Hold hold = (Hold) door(this.unattended, OTHER, looking).acquire();
		look();
		this.consul.transact(List.of(KvOperation.delete("locks/a")), Duration.ofSeconds(2));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> hold.guardedPut("data", "never"));
		assertThat(looks).hasPositiveValue();
		assertThat(isPresent()).isTrue();
		await().until(() -> this.consul.list("locks/b").isEmpty());
		assertThat(hold.session().isLive()).isTrue();
	}

	@Test
	void aCloseWaitsForTheSessionOfOneThatIsBeingRetired() throws Exception {
		Hold hold = (Hold) door(this.unattended, OTHER, KeyLock.of("locks/", List.of("a"))).acquire();
		hold.close();
		AtomicBoolean there = new AtomicBoolean();
		Thread closing = new Thread(() -> {
			this.unattended.close(Duration.ZERO);
			there.set(this.consul.sessionInfo(hold.session().id(), Duration.ofSeconds(2)).isPresent());
		});
		this.beforeDestroy.set(() -> {
			closing.start();
			await().until(
					() -> closing.getState() == Thread.State.WAITING || closing.getState() == Thread.State.TERMINATED);
		});
		look();
		look();
		closing.join();
		assertThat(there).isFalse();
	}

	private void look() {
		this.unattended.look(OTHER);
	}

	private boolean isPresent() {
		return this.unattended.present().findAny().isPresent();
	}

	private LockDoor door(EngineSpec spec) {
		return door(this.engines, spec, KeyLock.of("locks/", List.of("a")));
	}

	private LockDoor door(Engines of, EngineSpec spec, LockKind kind) {
		LockRequest request = new LockRequest(kind, () -> "", true, Duration.ofMinutes(1), false, Duration.ZERO, null);
		return new LockDoor(of, spec, this.client, request);
	}

}
