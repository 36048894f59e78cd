package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.SessionRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What is left of locks that end in unusual ways: nothing of ours, and all that is the
 * caller's.
 */
class RemainsTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** To acquire a key, be it there or not. */
	private static final Predicate<List<KvOperation>> ATTEMPT = (operations) -> operations.size() > 2
			&& operations.get(operations.size() - 1).verb() == KvOperation.Verb.LOCK;

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final HookedClient client = new HookedClient(this.consul.newClient());

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.client)
		.keyPrefix("locks/")
		.session(Instances.WITHOUT_LOCK_DELAY)
		.waitTime(LONG)
		.shutdownTimeout(Duration.ZERO)
		.build();

	@AfterEach
	void stop() {
		this.registry.close();
		this.consul.close();
	}

	private KvEntry entry(String key) {
		return this.consul.read("locks/" + key, LONG).orElse(null);
	}

	@Test
	void theRestOfALockThatWasHeldForTooLongAndThenTakenAwayInPartIsReleased() {
		LockHandle handle = this.registry
			.obtain(LockOptions.builder(List.of("a", "b")).maxHold(Duration.ofMillis(100)).build())
			.acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost((reason) -> {
			this.consul.transact(List.of(KvOperation.delete("locks/a")), LONG);
			told.complete(reason);
		});
		assertThat(told.join()).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED);
		assertThat(handle.release()).isFalse();
		await().untilAsserted(() -> assertThat(entry("b")).isNull());
	}

	@Test
	void aLockMayBeHeldForEver() {
		LockHandle handle = this.registry.obtain(LockOptions.builder("a").maxHold(LockOptions.FOREVER).build())
			.acquire();
		assertThat(handle.release()).isTrue();
		assertThat(this.registry.heldLocks()).isEmpty();
		this.registry.obtain("a").acquire(Duration.ZERO).close();
	}

	@Test
	void aLockMayBeKeptForEver() {
		this.registry.obtain(LockOptions.builder("a").holdAtLeast(LockOptions.FOREVER).build()).acquire().close();
		await().pollDelay(Duration.ofMillis(500)).untilAsserted(() -> assertThat(entry("a")).isNotNull());
		assertThat(this.registry.obtain("a").tryAcquire(Duration.ZERO)).isEmpty();
	}

	private String ownSessionHolding(String key) {
		String own = this.consul.createSession(new SessionRequest("own", Duration.ofMinutes(5), Duration.ofSeconds(15),
				SessionBehavior.RELEASE, List.of(), List.of()));
		this.consul.transact(List.of(KvOperation.lock("locks/" + key, own, "before", LockFlags.LOCK)), LONG);
		return own;
	}

	@Test
	void whatASessionOfTheCallersOwnHeldUntilItsDeadlineIsGivenUp() {
		String own = this.consul.createSession(new SessionRequest("own", Duration.ofMinutes(5), Duration.ofSeconds(10),
				SessionBehavior.RELEASE, List.of(), List.of()));
		ConsulLock lock = this.registry.obtain(LockOptions.builder("a").session(own).build());
		ConsulReadWriteLock readWrite = this.registry.readWriteLock(LockOptions.builder("rw").session(own).build());
		List<LockHandle> handles = List.of(lock.acquire(), readWrite.readLock().acquire());
		this.client.sessionsOutOfReach(true);
		await().until(() -> handles.stream().noneMatch(LockHandle::isHeld));
		// The session lives on: others would wait for ever.
		await().until(() -> entry("a") == null && entry("rw") == null);
		this.client.sessionsOutOfReach(false);
		readWrite.writeLock().acquire().close();
		lock.acquire().close();
		assertThat(handles).noneMatch(LockHandle::release);
		assertThat(this.consul.sessionInfo(own, LONG)).isPresent();
	}

	@Test
	void anAcquireThatFailsLeavesTheCallersEarlierHold() {
		String own = ownSessionHolding("a");
		KvEntry before = entry("a");
		this.client.before(ATTEMPT, () -> {
			throw new ConsulUnavailableException("No answer");
		});
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(
				() -> this.registry.obtain(LockOptions.builder("a").session(own).build()).acquire(Duration.ZERO));
		this.registry.close();
		assertThat(entry("a")).isEqualTo(before);
	}

	@Test
	void anAcquireWhoseAnswerIsLostIsNotMistakenForTheCallersEarlierHold() {
		String own = ownSessionHolding("a");
		long before = entry("a").modifyIndex();
		this.client.before(ATTEMPT, () -> {
			throw new ConsulUnavailableException("No answer");
		});
		LockHandle handle = this.registry.obtain(LockOptions.builder("a").session(own).build()).acquire(LONG);
		assertThat(handle.fencingToken()).isGreaterThan(before);
		handle.close();
	}

	@Test
	void aCloseDoesNotAskOfADeadConsulForEachPermitAnew() {
		List<LockHandle> permits = new ArrayList<>();
		for (int i = 0; i < 40; i++) {
			permits.add(this.registry.semaphore("s", 40).acquire());
		}
		permits.forEach(LockHandle::close);
		AtomicInteger requests = new AtomicInteger();
		this.client.alwaysBefore(() -> {
			requests.incrementAndGet();
			throw new ConsulUnavailableException("No answer");
		});
		this.registry.close();
		assertThat(requests).hasValueLessThan(5);
	}

	@Test
	void aPermitWhoseReleaseGetsNoAnswerAndWhoseSessionEndsIsNotAskedForAgainAndAgain() {
		LockHandle permit = this.registry.semaphore("s", 3).acquire();
		int before = this.client.transactions();
		this.client.before((operations) -> true, () -> {
			this.client.createdSessions().forEach(this.consul::destroySession);
			throw new ConsulUnavailableException("No answer");
		});
		permit.close();
		LockHandle next = this.registry.semaphore("s", 3).acquire();
		await().pollDelay(Duration.ofSeconds(4)).until(next::isHeld);
		assertThat(this.client.transactions() - before).isLessThan(60);
		next.close();
	}

	@Test
	void aKeptLockWhoseSessionEndsIsNotKeptFromThisInstanceAlone() {
		this.registry.obtain(LockOptions.builder("a").holdAtLeast(Duration.ofHours(1)).build()).acquire().close();
		this.consul.destroySession(entry("a").session());
		this.registry.obtain("a").acquire(LONG).close();
	}

}
