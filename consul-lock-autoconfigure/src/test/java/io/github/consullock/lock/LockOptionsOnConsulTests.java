package io.github.consullock.lock;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.LockConflictException;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockHolder;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.SessionInfo;
import io.github.consullock.consul.SessionRequest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * What the options of a lock, and the questions about it, come to in Consul.
 */
class LockOptionsOnConsulTests extends HookedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void settingsOfTheSessionGiveASessionOfTheirOwn() {
		ConsulLockRegistry registry = this.instances.start();
		LockOptions options = LockOptions.builder("a")
			.sessionName("special")
			.ttl(Duration.ofSeconds(12))
			.lockDelay(Duration.ofSeconds(13))
			.behavior(SessionBehavior.DELETE)
			.nodeChecks(List.of("serfHealth"))
			.value("mine")
			.build();
		try (LockHandle ordinary = registry.obtain("b").acquire();
				LockHandle handle = registry.obtain(options).acquire()) {
			KvEntry entry = this.instances.entry("a");
			assertThat(entry.value()).isEqualTo("mine");
			assertThat(entry.session()).isNotEqualTo(this.instances.entry("b").session());
			SessionInfo session = this.instances.observer.sessionInfo(entry.session(), LONG).orElseThrow();
			assertThat(session.name()).isEqualTo("special");
			assertThat(session.ttl()).isEqualTo(Duration.ofSeconds(12));
			assertThat(session.lockDelay()).isEqualTo(Duration.ofSeconds(13));
			assertThat(session.behavior()).isEqualTo(SessionBehavior.DELETE);
			assertThat(registry.heldLocks()).hasSize(2);
			// The same settings, the same session.
			try (LockHandle other = registry
				.obtain(LockOptions.builder("c")
					.sessionName("special")
					.ttl(Duration.ofSeconds(12))
					.lockDelay(Duration.ofSeconds(13))
					.behavior(SessionBehavior.DELETE)
					.nodeChecks(List.of("serfHealth"))
					.build())
				.acquire()) {
				assertThat(this.instances.entry("c").session()).isEqualTo(entry.session());
				assertThat(other.isHeld()).isTrue();
			}
		}
		registry.close();
		assertThat(this.instances.entries()).isEmpty();
		assertThat(this.instances.request("GET", "/v1/session/list", "")).doesNotContain("\"special\"");
	}

	@Test
	void aLockMayDependOnTheCheckOfAService() {
		String service = this.instances.prefix().replace('/', '-') + "orders";
		this.instances.request("PUT", "/v1/agent/service/register", """
				{"ID": "%1$s", "Name": "%1$s", "Check": {"TTL": "1h", "Status": "passing"}}""".formatted(service));
		// The agent tells the servers in the background.
		await().until(() -> this.instances.request("GET", "/v1/health/checks/" + service, "").contains(service));
		ConsulLockRegistry registry = this.instances.start();
		LockHandle ordinary = registry.obtain("b").acquire();
		LockHandle handle = registry
			.obtain(LockOptions.builder("a").serviceChecks(List.of("service:" + service)).build())
			.acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost(told::complete);
		this.instances.request("PUT", "/v1/agent/check/fail/service:" + service, "");
		await().until(told::isDone);
		assertThat(told.join()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
		assertThat(ordinary.release()).isTrue();
		this.instances.request("PUT", "/v1/agent/service/deregister/" + service, "");
	}

	@Test
	void locksOfDifferentSessionsExcludeEachOtherInOneRegistry() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle handle = registry.obtain("a").acquire();
		registry.obtain(LockOptions.builder("b").sessionName("special").build()).acquire().close();
		ConsulLock special = registry.obtain(LockOptions.builder("a").sessionName("special").build());
		assertThat(special.tryAcquire(Duration.ZERO)).isEmpty();
		CompletableFuture<LockHandle> waiting = special.acquireAsync(LONG);
		handle.close();
		waiting.join().close();
	}

	@Test
	void aLockDelayBelowTheTtlIsRefusedUnlessTheRegistryAllowsIt() {
		LockOptions options = LockOptions.builder("a").lockDelay(Duration.ZERO).build();
		ConsulLockRegistry careful = this.instances.start((builder) -> builder.session(Instances.SAFE));
		assertThatIllegalArgumentException().isThrownBy(() -> careful.obtain(options))
			.withMessageContaining("allow-unsafe");
		ConsulLockRegistry unsafe = this.instances
			.start((builder) -> builder.session(Instances.SAFE.withAllowUnsafe(true)));
		LockHandle handle = unsafe.obtain(options).acquire();
		ConsulLock next = Instances.warmUp(this.instances.start()).obtain("a");
		this.instances.destroySessionOf("a");
		// Closed for no time.
		next.acquire(Duration.ZERO).close();
		assertThat(handle.release()).isFalse();
	}

	@Test
	void aSessionOfTheCallersOwnHoldsTheLockAndIsLeftAlone() {
		String own = ownSession();
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain(LockOptions.builder("a").session(own).build());
		LockHandle handle = lock.acquire();
		assertThat(this.instances.entry("a").session()).isEqualTo(own);
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
		lock.acquire();
		registry.close();
		assertThat(this.instances.observer.renewSession(own)).isInstanceOf(RenewalOutcome.Renewed.class);
		this.instances.observer.destroySession(own);
	}

	@Test
	void aSessionOfTheCallersOwnThatHoldsTheKeyAlreadyClaimsItAnewAtOnce() {
		String own = ownSession();
		this.instances.request("PUT", "/v1/kv/" + full("a") + "?acquire=" + own + "&flags=" + LockFlags.LOCK, "before");
		long before = this.instances.entry("a").modifyIndex();
		ConsulLockRegistry registry = this.instances.start();
		registry.obtain(LockOptions.builder("b").session(own).build()).acquire().close();
		LockHandle handle = registry.obtain(LockOptions.builder("a").session(own).build()).acquire(Duration.ZERO);
		assertThat(handle.fencingToken()).isGreaterThan(before);
		assertThat(handle.release()).isTrue();
		this.instances.observer.destroySession(own);
	}

	@Test
	void theEndOfASessionOfTheCallersOwnIsALoss() {
		String own = ownSession();
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain(LockOptions.builder("a").session(own).build());
		LockHandle handle = lock.acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost(told::complete);
		this.instances.observer.destroySession(own);
		assertThat(told.join()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
		await().untilAsserted(() -> assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> lock.acquire(Duration.ZERO))
			.withMessageContaining(own.substring(0, 8)));
	}

	@Test
	void aSessionOfTheCallersOwnContradictsSettingsOfASession() {
		LockOptions.Builder options = LockOptions.builder("a").session("s").ttl(LONG).lockDelay(LONG);
		assertThatIllegalArgumentException().isThrownBy(options::build).withMessageContaining("lockDelay, ttl");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> LockOptions.builder("a").tryOnce(true).waitTime(LONG).build())
			.withMessageContaining("tryOnce");
		assertThatIllegalArgumentException().isThrownBy(() -> LockOptions.builder("a").session(" ").build());
	}

	@Test
	void anotherDatacenterIsAskedForIt() {
		ConsulLockRegistry registry = this.instances.start();
		try (LockHandle handle = registry.obtain(LockOptions.builder("a").datacenter("dc1").build()).acquire()) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(registry.obtain("a").isLocked()).isTrue();
		}
		ConsulLock elsewhere = registry.obtain(LockOptions.builder("a").datacenter("nowhere").tryOnce(true).build());
		assertThatExceptionOfType(LockException.class).isThrownBy(elsewhere::acquire)
			.withMessageContaining("No path to datacenter");
	}

	@Test
	void theHolderIsToldByItsEntry() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.instanceName("the \"first\""));
		ConsulLock lock = this.instances.start().obtain("a");
		assertThat(lock.holder()).isEmpty();
		assertThat(lock.isLocked()).isFalse();
		LockHandle handle = registry.obtain("a").acquire();
		LockHolder holder = lock.holder().orElseThrow();
		assertThat(holder.instance()).isEqualTo("the \"first\"");
		assertThat(holder.pid()).isEqualTo(ProcessHandle.current().pid());
		assertThat(holder.host()).isNotBlank();
		assertThat(holder.since()).isNotNull();
		assertThat(holder.session()).isEqualTo(this.instances.entry("a").session());
		handle.close();
		assertThat(lock.isLocked()).isFalse();
		LockHandle other = registry.obtain(LockOptions.builder("a").value("{not json").build()).acquire();
		assertThat(lock.holder().orElseThrow().instance()).isNull();
		assertThat(lock.holder().orElseThrow().value()).isEqualTo("{not json");
		other.close();
	}

	@Test
	void theHolderIsThereSinceItAcquiredAndNotSinceItWaits() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry registry = hooked();
		CompletableFuture<LockHandle> waiting = registry.obtain("a").acquireAsync(LONG);
		await().until(() -> this.events.contains("waiting"));
		Instant released = Instant.now().truncatedTo(ChronoUnit.MILLIS);
		first.close();
		LockHandle second = waiting.join();
		CompletableFuture<LockHandle> heir = registry.obtain("a").acquireAsync(LONG);
		assertThat(registry.obtain("a").holder().orElseThrow().since()).isAfterOrEqualTo(released);
		released = Instant.now().truncatedTo(ChronoUnit.MILLIS);
		second.close();
		LockHandle third = heir.join();
		assertThat(registry.obtain("a").holder().orElseThrow().since()).isAfterOrEqualTo(released);
		third.close();
	}

	@Test
	void destroyRemovesAnEntryThatNobodyHolds() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.deleteOnRelease(false));
		ConsulLock lock = registry.obtain("a");
		lock.destroy();
		LockHandle handle = lock.acquire();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(lock::destroy).withMessageContaining("held by");
		assertThatExceptionOfType(LockInUseException.class)
			.isThrownBy(() -> this.instances.start().obtain("a").destroy());
		handle.close();
		assertThat(this.instances.entry("a")).isNotNull();
		lock.destroy();
		lock.destroy();
		assertThat(this.instances.entry("a")).isNull();
		this.instances.request("PUT", "/v1/kv/" + full("a"), "something else");
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::destroy);
		assertThat(this.instances.entry("a")).isNotNull();
	}

	@Test
	void aGuardedPutIsMadeByThePresentHolderAlone() {
		ConsulLockRegistry registry = hooked();
		String data = "guarded/" + this.instances.prefix() + "data";
		LockHandle first = registry.obtain("a").acquire();
		first.guardedPut(data, "one");
		// A write to the lock's entry loses nothing.
		this.instances.request("PUT", "/v1/kv/" + full("a") + "?flags=" + LockFlags.LOCK, "note");
		first.guardedPut(data, "two");
		assertThat(read(data)).isEqualTo("two");
		first.release();
		assertThatIllegalStateException().isThrownBy(() -> first.guardedPut(data, "late"));
		// The same session holds the key again, by another hold.
		LockHandle second = registry.obtain("a").acquire();
		assertThatIllegalStateException().isThrownBy(() -> first.guardedPut(data, "late"));
		second.guardedPut(data, "three");
		assertThat(read(data)).isEqualTo("three");
		assertThatIllegalArgumentException().isThrownBy(() -> second.guardedPut(full("b"), "x"));
		assertThatIllegalArgumentException().isThrownBy(() -> second.guardedPut("", "x"));
		second.close();
		this.instances.request("DELETE", "/v1/kv/" + data, "");
	}

	@Test
	void aGuardedPutUnderALockThatWasTakenAwayIsRefusedAndTells() {
		String data = "guarded/" + this.instances.prefix() + "data";
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtainAll(List.of("a", "b")).acquire();
		this.client.before((operations) -> true, () -> this.instances.request("DELETE", "/v1/kv/" + full("b"), ""));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> handle.guardedPut(data, "late"))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.KEY_DELETED));
		assertThat(this.instances.observer.read(data, LONG)).isEmpty();
		assertThat(handle.isHeld()).isFalse();
		await().until(() -> this.instances.entry("a") == null);
	}

	private String read(String key) {
		return this.instances.observer.read(key, LONG).orElseThrow().value();
	}

	private String ownSession() {
		return this.instances.observer.createSession(new SessionRequest(this.instances.prefix() + "own",
				Duration.ofMinutes(5), Duration.ofSeconds(15), SessionBehavior.RELEASE, List.of(), List.of()));
	}

	private String full(String key) {
		return this.instances.prefix() + key;
	}

}
