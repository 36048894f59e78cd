package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.session.SessionSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Holders of permits whose sessions end, on an in-memory Consul whose clock stands still
 * but for the test's moving it.
 */
class DeadHolderTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final SessionSettings SAFE = Instances.SAFE;

	private final AtomicLong clock = new AtomicLong();

	private final InMemoryConsulClient consul = new InMemoryConsulClient(this.clock::get);

	private ConsulLockRegistry first;

	private ConsulLockRegistry second;

	private HookedClient client;

	@BeforeEach
	void start() {
		this.first = registry(new HookedClient(this.consul.newClient()), SAFE);
		this.client = new HookedClient(this.consul.newClient());
		this.second = registry(this.client, SAFE);
	}

	private static ConsulLockRegistry registry(HookedClient client, SessionSettings session) {
		return ConsulLockRegistry.builder(client)
			.keyPrefix("locks/")
			.session(session)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	@AfterEach
	void stop() {
		this.first.close();
		this.second.close();
	}

	@Test
	void thePlaceOfADeadHolderIsTakenOnceLockDelayIsOverAndNoSooner() {
		LockHandle dead = this.first.semaphore("a", 1).acquire();
		endSessionOf(dead);
		ConsulSemaphore semaphore = this.second.semaphore("a", 1);
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		CompletableFuture<LockHandle> waiting = semaphore.acquireAsync();
		pass(SAFE.lockDelay().minusMillis(1));
		awaitTries(3);
		assertThat(waiting).isNotDone();
		pass(Duration.ofMillis(1));
		LockHandle permit = waiting.join();
		assertThat(permit.fencingToken()).isGreaterThan(dead.fencingToken());
		assertThat(semaphore.holders()).hasSize(1);
		assertThat(below("a")).hasSize(2);
		assertThat(permit.release()).isTrue();
		assertThat(below("a")).isEmpty();
		assertThat(dead.release()).isFalse();
	}

	@Test
	void thePlaceOfADeadHolderWhoseEntryIsGoneIsClosedForLockDelayAllTheSame() {
		SessionSettings deleting = new SessionSettings("deleting", SAFE.ttl(), SAFE.lockDelay(), SessionBehavior.DELETE,
				List.of(), List.of(), SAFE.safetyMargin(), true);
		try (ConsulLockRegistry third = registry(new HookedClient(this.consul.newClient()), deleting)) {
			LockHandle dead = third.semaphore("a", 1).acquire();
			endSessionOf(dead);
			assertThat(below("a")).hasSize(1);
			ConsulSemaphore semaphore = this.second.semaphore("a", 1);
			CompletableFuture<LockHandle> waiting = semaphore.acquireAsync();
			awaitTries(3);
			assertThat(waiting).isNotDone();
			pass(SAFE.lockDelay());
			assertThat(waiting.join().release()).isTrue();
			assertThat(below("a")).isEmpty();
		}
	}

	@Test
	void aDeadHolderKeepsNobodyFromAFreePermitAndIsRemovedLater() {
		LockHandle dead = this.first.semaphore("a", 2).acquire();
		String deadSession = sessions("a").get(0);
		endSessionOf(dead);
		ConsulSemaphore semaphore = this.second.semaphore("a", 2);
		LockHandle permit = semaphore.tryAcquire(Duration.ZERO).orElseThrow();
		assertThat(state("a")).contains(deadSession);
		assertThat(semaphore.holders()).hasSize(1);
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		pass(SAFE.lockDelay());
		LockHandle next = semaphore.tryAcquire(Duration.ZERO).orElseThrow();
		assertThat(state("a")).doesNotContain(deadSession);
		assertThat(permit.release()).isTrue();
		assertThat(next.release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void whoWaitsForLockDelayTakesAPermitThatIsReleasedMeanwhile() {
		LockHandle dead = this.first.semaphore("a", 2).acquire();
		LockHandle other = this.first.semaphore("a", 2).acquire();
		endSessionOf(dead);
		CompletableFuture<LockHandle> waiting = this.second.semaphore("a", 2).acquireAsync();
		awaitTries(3);
		assertThat(waiting).isNotDone();
		assertThat(other.release()).isTrue();
		LockHandle permit = waiting.join();
		assertThat(this.second.semaphore("a", 2).tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(permit.release()).isTrue();
	}

	@Test
	void whoHasWaitedForALivingHolderFindsThatItHasDied() {
		LockHandle held = this.first.semaphore("a", 1).acquire();
		CompletableFuture<LockHandle> waiting = this.second.semaphore("a", 1).acquireAsync();
		int before = this.client.transactions();
		this.consul.destroySession(sessions("a").get(0));
		pass(SAFE.lockDelay());
		LockHandle permit = waiting.join();
		assertThat(this.client.transactions()).isGreaterThan(before);
		await().until(() -> !held.isHeld());
		assertThat(permit.release()).isTrue();
	}

	@Test
	void aLargeNumberOfDeadHoldersIsRemovedBitByBit() {
		for (int i = 0; i < 40; i++) {
			this.first.semaphore("a", 40).acquire();
		}
		sessions("a").forEach(this.consul::destroySession);
		pass(SAFE.lockDelay());
		ConsulSemaphore semaphore = this.second.semaphore("a", 40);
		LockHandle permit = semaphore.acquire();
		semaphore.acquire().close();
		semaphore.acquire().close();
		assertThat(semaphore.holders()).hasSize(1);
		assertThat(sessions("a")).hasSize(1);
		assertThat(permit.release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void whatADeadHolderLeavesWhenGoHasRemovedItFromTheHoldersGoesToo() {
		LockHandle dead = this.first.semaphore("a", 2).acquire();
		endSessionOf(dead);
		pass(SAFE.lockDelay());
		// As Go's client prunes it.
		write("a/.lock", "{\"Limit\":2,\"Holders\":{}}");
		assertThat(below("a")).hasSize(2);
		assertThat(this.second.semaphore("a", 2).acquire().release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void aSemaphoreIsDestroyedWithItsDeadHoldersOnceLockDelayAllowsIt() {
		LockHandle dead = this.first.semaphore("a", 2).acquire();
		endSessionOf(dead);
		ConsulSemaphore semaphore = this.second.semaphore("a", 3);
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(semaphore::destroy)
			.withMessageContaining("lock-delay");
		assertThat(state("a")).isNotEmpty();
		pass(SAFE.lockDelay());
		semaphore.destroy();
		assertThat(below("a")).isEmpty();
		semaphore.destroy();
	}

	@Test
	void aHolderThatLivesIsNotTakenForDead() {
		LockHandle held = this.first.semaphore("a", 2).acquire();
		ConsulSemaphore semaphore = this.second.semaphore("a", 2);
		for (int i = 0; i < 5; i++) {
			semaphore.acquire().close();
		}
		assertThat(held.isHeld()).isTrue();
		assertThat(this.first.semaphore("a", 2).holders()).hasSize(1);
		assertThat(held.release()).isTrue();
	}

	private void endSessionOf(LockHandle permit) {
		KvEntry entry = below(permit.key().substring("locks/".length())).stream()
			.filter((below) -> below.modifyIndex() == permit.fencingToken() && below.session() != null)
			.findFirst()
			.orElseThrow();
		this.consul.destroySession(entry.session());
		await().until(() -> ((Hold) permit).lostReason().isPresent());
		assertThat(permit).extracting((handle) -> ((Hold) handle).lostReason().orElseThrow())
			.isEqualTo(LockLostReason.SESSION_INVALIDATED);
	}

	private void pass(Duration time) {
		this.clock.addAndGet(time.toNanos());
	}

	private void awaitTries(int tries) {
		int before = this.client.transactions();
		await().atMost(LONG.toMillis(), TimeUnit.MILLISECONDS)
			.until(() -> this.client.transactions() >= before + tries);
	}

	private List<KvEntry> below(String key) {
		return this.consul.list("locks/" + key + "/");
	}

	private String state(String key) {
		return this.consul.read("locks/" + key + "/.lock", LONG).map(KvEntry::value).orElse("");
	}

	private List<String> sessions(String key) {
		return below(key).stream().map(KvEntry::session).filter((session) -> session != null).toList();
	}

	private void write(String key, String value) {
		this.consul.transact(List.of(KvOperation.set("locks/" + key, value, LockFlags.SEMAPHORE)), LONG);
	}

}
