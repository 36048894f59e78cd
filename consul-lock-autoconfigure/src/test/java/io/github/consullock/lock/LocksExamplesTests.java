package io.github.consullock.lock;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * The examples of docs/locks.md and docs/loss.md.
 */
@ConsulTest
class LocksExamplesTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private Instances instances;

	private ConsulLockRegistry registry;

	private final Store store = new Store();

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.registry = this.instances.start((builder) -> builder.instanceName("orders-1"));
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void aRegistryIsBuiltWithoutSpring(ConsulServer consul) {
		URI address = consul.httpUri();
		// tag::builder[]
		try (ConsulClient client = HttpConsulClient.builder(address).build(); // http://localhost:8500
				ConsulLockRegistry registry = ConsulLockRegistry.builder(client)
					.keyPrefix("locks/")
					.waitTime(Duration.ofMinutes(1))
					.build()) {
			registry.obtain("orders/42").acquire().close();
		}
		// end::builder[]
		assertThat(this.instances.observer.read("locks/orders/42", AMPLE)).isEmpty();
	}

	@Test
	void aHandleIsHeldUntilItIsClosed() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		// tag::handle[]
		try (LockHandle handle = registry.obtain("orders/42").acquire()) {
			store.write("shipped", handle.fencingToken());
		}
		// end::handle[]
		assertThat(store.written).containsExactly("shipped");
		assertNothingIsHeld();
	}

	@Test
	void aLockIsHeldUntilItIsUnlocked() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		// tag::lock[]
		ConsulLock lock = registry.obtain("orders/42");
		lock.lock();
		try {
			store.write("shipped");
		}
		finally {
			lock.unlock(); // LockLostException if the lock was lost meanwhile
		}
		// end::lock[]
		assertThat(store.written).containsExactly("shipped");
		assertNothingIsHeld();
	}

	@Test
	void aTaskRunsUnderItsLock() throws Exception {
		ConsulLockRegistry registry = this.registry;
		// tag::task[]
		String report = registry.executeLocked("reports/daily", Duration.ofMinutes(1),
				() -> "written under " + LockHandle.current().key());
		// end::task[]
		assertThat(report).isEqualTo("written under " + this.instances.prefix() + "reports/daily");
		assertNothingIsHeld();
	}

	@Test
	void aLockIsWaitedForWithoutAThread() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		// tag::async[]
		CompletableFuture<Void> shipped = registry.obtain("orders/42")
			.acquireAsync(Duration.ofMinutes(1))
			.thenAccept((handle) -> {
				try (handle) {
					store.write("shipped", handle.fencingToken());
				}
			});
		// end::async[]
		shipped.join();
		assertThat(store.written).containsExactly("shipped");
		assertNothingIsHeld();
	}

	@Test
	void severalKeysAreHeldTogether() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		ConsulLock first = registry.obtain("accounts/1");
		// tag::all[]
		ConsulLock accounts = registry.obtainAll(List.of("accounts/1", "accounts/2"));
		try (LockHandle handle = accounts.acquire()) {
			store.write("transferred", handle.fencingToken()); // handle.keys() has both
			// end::all[]
			assertThat(handle.keys()).hasSize(2);
			assertThat(first.isLocked()).isTrue();
			// tag::all[]
		}
		// end::all[]
		assertThat(store.written).containsExactly("transferred");
		assertNothingIsHeld();
	}

	@Test
	void whoHoldsALockCanBeAsked() {
		ConsulLockRegistry registry = this.registry;
		LockHandle handle = this.instances.start((builder) -> builder.instanceName("orders-2"))
			.obtain("orders/42")
			.acquire();
		// tag::holder[]
		ConsulLock lock = registry.obtain("orders/42");
		String holder = lock.holder().map((who) -> who.instance() + " since " + who.since()).orElse("nobody");
		// end::holder[]
		assertThat(holder).startsWith("orders-2 since 2");
		handle.close();
		assertNothingIsHeld();
	}

	@Test
	void optionsAreOfOneLock() {
		ConsulLockRegistry registry = this.registry;
		// tag::options[]
		ConsulLock lock = registry.obtain(LockOptions.builder("orders/42")
			.value("batch 7")
			.waitTime(Duration.ofMinutes(1))
			.deleteOnRelease(false)
			.build());
		// end::options[]
		lock.acquire().close();
		assertThat(this.instances.entry("orders/42").session()).isNull();
		lock.destroy();
		assertThat(this.instances.entry("orders/42")).isNull();
	}

	@Test
	void optionsThatContradictEachOtherAreRefused() {
		List<LockOptions.Builder> contradicting = List.of(LockOptions.builder("a").tryOnce(true).waitTime(AMPLE),
				LockOptions.builder("a").holdAtLeast(AMPLE).maxHold(Duration.ofSeconds(1)),
				LockOptions.builder("a").session("s").sessionName("name"),
				LockOptions.builder("a").session("s").ttl(AMPLE),
				LockOptions.builder("a").session("s").lockDelay(AMPLE),
				LockOptions.builder("a").session("s").behavior(SessionBehavior.RELEASE),
				LockOptions.builder("a").session("s").nodeChecks(List.of()),
				LockOptions.builder("a").session("s").serviceChecks(List.of()));
		assertThat(contradicting)
			.allSatisfy((options) -> assertThatIllegalArgumentException().isThrownBy(options::build));
	}

	@Test
	void theTimeOfAHoldIsLimitedEitherWay() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		// tag::times[]
		ConsulLock lock = registry.obtain(LockOptions.builder("reports/daily")
			.holdAtLeast(Duration.ofMinutes(5))
			.maxHold(Duration.ofMinutes(30))
			.build());
		try (LockHandle handle = lock.acquire()) {
			store.write("reported", handle.fencingToken());
		}
		boolean stillClosed = lock.isLocked();
		// end::times[]
		assertThat(stillClosed).isTrue();
		registry.close();
		assertThat(this.instances.start().obtain("reports/daily").isLocked()).isFalse();
	}

	@Test
	void aWriteIsGuardedByTheHold() {
		ConsulLockRegistry registry = this.registry;
		LockHandle kept;
		// tag::guarded[]
		try (LockHandle handle = registry.obtain("orders/42").acquire()) {
			handle.guardedPut("orders/42/state", "shipped"); // the full key in Consul
			// end::guarded[]
			kept = handle;
			assertThat(this.instances.observer.read("orders/42/state", AMPLE).orElseThrow().value())
				.isEqualTo("shipped");
			this.instances.request("DELETE", "/v1/kv/" + handle.key(), "");
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> handle.guardedPut("orders/42/state", "late"));
			// tag::guarded[]
		}
		// end::guarded[]
		assertThat(kept.isHeld()).isFalse();
		assertThat(this.instances.observer.read("orders/42/state", AMPLE).orElseThrow().value()).isEqualTo("shipped");
		this.instances.request("DELETE", "/v1/kv/orders/42/state", "");
	}

	@Test
	void aSessionOfTheCallersOwnHoldsALock() {
		ConsulLockRegistry registry = this.registry;
		String session = this.instances.observer.createSession(new SessionRequest(this.instances.prefix() + "own",
				Duration.ofMinutes(5), Duration.ofSeconds(15), SessionBehavior.RELEASE, List.of(), List.of()));
		// tag::session[]
		ConsulLock lock = registry.obtain(LockOptions.builder("orders/42").session(session).build());
		// end::session[]
		try (LockHandle handle = lock.acquire()) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(lock.holder().orElseThrow().session()).isEqualTo(session);
		}
		this.instances.observer.destroySession(session);
	}

	@Test
	void aLockOfAnotherDatacenterIsHeldThere() {
		ConsulLockRegistry registry = this.registry;
		// tag::datacenter[]
		ConsulLock lock = registry.obtain(LockOptions.builder("orders/42").datacenter("dc1").build());
		// end::datacenter[]
		try (LockHandle handle = lock.acquire()) {
			assertThat(handle.isHeld()).isTrue();
			String there = this.instances.request("GET", "/v1/kv/" + handle.key() + "?dc=dc1", "");
			assertThat(there).contains("\"Session\"");
		}
	}

	@Test
	void aListenerIsToldOfEachHold() {
		List<String> log = new CopyOnWriteArrayList<>();
		// tag::listener[]
		class WaitTimes implements LockListener {

			@Override
			public void acquired(LockHandle handle, Duration waited) {
				log.add(handle.key() + " after " + waited.toMillis() + " ms");
			}

		}
		// end::listener[]
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.listener(new WaitTimes()));
		LockHandle handle = registry.obtain("orders/42").acquire();
		handle.close();
		assertThat(log).singleElement().asString().startsWith(handle.key() + " after ");
	}

	@Test
	void aLossEndsWorkAtItsNextStep() {
		ConsulLockRegistry registry = this.registry;
		Store store = this.store;
		List<LockLostReason> alarms = new CopyOnWriteArrayList<>();
		Runnable step = () -> {
			if (store.written.size() == 2) {
				this.instances.destroySessionOf("imports/daily");
				await().until(() -> !alarms.isEmpty());
			}
		};
		List<String> lines = List.of("first", "second", "third");
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> {
			// tag::loss[]
			try (LockHandle handle = registry.obtain("imports/daily").acquire()) {
				handle.onLost(alarms::add); // on a thread of its own
				for (String line : lines) {
					handle.ensureHeld(); // LockLostException if it was lost
					store.write(line, handle.fencingToken());
					// end::loss[]
					step.run();
					// tag::loss[]
				}
			}
			// end::loss[]
		}).extracting(LockLostException::reason).isEqualTo(LockLostReason.SESSION_INVALIDATED);
		assertThat(store.written).containsExactly("first", "second");
		assertThat(alarms).containsExactly(LockLostReason.SESSION_INVALIDATED);
		assertNothingIsHeld();
	}

	private void assertNothingIsHeld() {
		assertThat(this.registry.heldLocks()).isEmpty();
		assertThat(this.instances.entries())
			.noneMatch((entry) -> !entry.key().contains(".consul-lock/") && entry.session() != null);
	}

	/** What the locks protect: refuses the tokens of former holders. */
	private static final class Store {

		private final List<String> written = new ArrayList<>();

		private long newest;

		void write(String text, long token) {
			assertThat(token).isGreaterThanOrEqualTo(this.newest).isPositive();
			this.newest = token;
			this.written.add(text);
		}

		void write(String text) {
			this.written.add(text);
		}

	}

}
