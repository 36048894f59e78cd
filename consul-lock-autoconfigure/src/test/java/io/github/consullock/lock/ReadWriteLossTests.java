package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Holders and waiters of a read-write lock whose processes die, in an in-memory Consul
 * whose clock stands still until the test moves it.
 */
class ReadWriteLossTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration AT_ONCE = Duration.ZERO;

	/** Longer than it takes a waiter to look for itself. */
	private static final Duration WHILE = Duration.ofSeconds(3);

	private final AtomicLong clock = new AtomicLong(1);

	private final InMemoryConsulClient consul = new InMemoryConsulClient(this.clock::get);

	private final List<AutoCloseable> open = new ArrayList<>();

	private HookedClient mortal;

	@AfterEach
	void stop() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.consul.close();
	}

	@Test
	void theLockOfADeadWriterIsHadAfterLockDelayInTheOrderOfAsking() {
		LockHandle dead = mortal().readWriteLock("a").writeLock().acquire();
		CompletableFuture<LockHandle> writer = start().readWriteLock("a").writeLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		CompletableFuture<LockHandle> reader = start().readWriteLock("a").readLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 2);
		kill();
		await().during(WHILE).until(() -> !writer.isDone() && !reader.isDone());
		endLockDelay();
		assertThat(writer.join().fencingToken()).isGreaterThan(dead.fencingToken());
		assertThat(reader).isNotDone();
		writer.join().close();
		reader.join().close();
		assertNothingIsLeft();
	}

	@Test
	void aDeadReaderKeepsWritersOutUntilLockDelayIsOverAndReadersNever() {
		mortal().readWriteLock("a").readLock().acquire();
		kill();
		ConsulReadWriteLock lock = start().readWriteLock("a");
		LockHandle reader = lock.readLock().tryAcquire(AT_ONCE).orElseThrow();
		CompletableFuture<LockHandle> writer = start().readWriteLock("a").writeLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		assertThat(lock.readLock().tryAcquire(AT_ONCE)).isEmpty();
		reader.close();
		await().during(WHILE).until(() -> !writer.isDone());
		endLockDelay();
		writer.join().close();
		assertNothingIsLeft();
	}

	@Test
	void whoReadsBesideTheDeadRemovesThemAfterLockDelay() {
		ConsulReadWriteLock crashing = mortal().readWriteLock("a");
		for (int i = 0; i < 20; i++) {
			crashing.readLock().acquire();
		}
		kill();
		ConsulReadWriteLock lock = start().readWriteLock("a");
		LockHandle reader = lock.readLock().tryAcquire(AT_ONCE).orElseThrow();
		assertThat(state().holders()).hasSize(21);
		endLockDelay();
		// As many as one transaction takes.
		lock.readLock().tryAcquire(AT_ONCE).orElseThrow().close();
		assertThat(state().holders()).hasSize(3);
		lock.readLock().tryAcquire(AT_ONCE).orElseThrow().close();
		reader.close();
		assertNothingIsLeft();
	}

	@Test
	void whoTriesOnceHasADeadWritersLockAfterLockDelay() {
		mortal().readWriteLock("a").writeLock().acquire();
		kill();
		ConsulReadWriteLock lock = start().readWriteLock("a");
		for (ConsulLock side : List.of(lock.readLock(), lock.writeLock())) {
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> side.acquire(AT_ONCE))
				.withMessageContaining("lock-delay");
		}
		assertThat(state().queue()).isEmpty();
		assertThat(lock.writeLock().isLocked()).isFalse();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(lock.readLock()::destroy)
			.withMessageContaining("whose session has ended");
		endLockDelay();
		lock.readLock().tryAcquire(AT_ONCE).orElseThrow().close();
		assertNothingIsLeft();
	}

	@Test
	void whoDiesInTheQueueIsRemovedWithoutLockDelay() {
		LockHandle reader = start().readWriteLock("a").readLock().acquire();
		mortal().readWriteLock("a").writeLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		CompletableFuture<LockHandle> next = start().readWriteLock("a").readLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 2);
		kill();
		next.join().close();
		reader.close();
		assertNothingIsLeft();
	}

	@Test
	void moreOfTheDeadThanOneTransactionTakesAreRemoved() {
		ConsulReadWriteLock crashing = mortal().readWriteLock("a");
		for (int i = 0; i < 50; i++) {
			crashing.readLock().acquire();
		}
		kill();
		ConsulReadWriteLock lock = start().readWriteLock("a");
		assertThat(lock.writeLock().tryAcquire(AT_ONCE)).isEmpty();
		CompletableFuture<LockHandle> writer = lock.writeLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		endLockDelay();
		writer.join().close();
		assertNothingIsLeft();
	}

	@Test
	void whoTriesOnceRemovesMoreOfTheDeadThanOneTransactionTakes() {
		ConsulReadWriteLock crashing = mortal().readWriteLock("a");
		for (int i = 0; i < 50; i++) {
			crashing.readLock().acquire();
		}
		kill();
		endLockDelay();
		start().readWriteLock("a").writeLock().tryAcquire(AT_ONCE).orElseThrow().close();
		assertNothingIsLeft();
	}

	@Test
	void whoWaitsWithASessionThatEndsQueuesUpAnewWithAnother() {
		LockHandle holder = start().readWriteLock("a").writeLock().acquire();
		CompletableFuture<LockHandle> waiter = start().readWriteLock("a").writeLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		String first = state().queue().get(0).id();
		this.consul.destroySession(member(state().queue().get(0)).session());
		await().until(() -> state().queue().size() == 1 && !state().queue().get(0).id().equals(first));
		assertThat(members()).hasSize(2);
		holder.close();
		assertThat(waiter.join().release()).isTrue();
		assertNothingIsLeft();
	}

	@Test
	void aHolderWhosePlaceIsTakenIsToldAndLeavesTheOtherAlone() {
		LockHandle holder = start().readWriteLock("a").writeLock().acquire();
		this.consul.destroySession(member(state().holders().get(0)).session());
		await().until(() -> !holder.isHeld());
		endLockDelay();
		LockHandle next = start().readWriteLock("a").writeLock().acquire(LONG);
		assertThat(holder.release()).isFalse();
		assertThat(next.isHeld()).isTrue();
		assertThat(next.release()).isTrue();
		assertNothingIsLeft();
	}

	@Test
	void whatADeadHolderLeavesIsNotTakenAwayOnItsBehalf() {
		Hold holder = (Hold) start().readWriteLock("a").writeLock().acquire();
		this.consul.destroySession(holder.session().id());
		new LockProtocol(this.consul).free(holder.kind(), holder.kind().unseen(), holder.claimant(), LONG);
		assertThat(state().holders()).hasSize(1);
		ConsulReadWriteLock lock = start().readWriteLock("a");
		assertThat(lock.readLock().tryAcquire(AT_ONCE)).isEmpty();
		endLockDelay();
		lock.readLock().tryAcquire(AT_ONCE).orElseThrow().close();
		assertNothingIsLeft();
	}

	private ConsulLockRegistry start() {
		return start(this.consul.newClient());
	}

	private ConsulLockRegistry start(ConsulClient client) {
		ConsulLockRegistry registry = ConsulLockRegistry.builder(client)
			.keyPrefix("locks/")
			.session(Instances.SAFE)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
		this.open.add(registry);
		this.open.add(client);
		return registry;
	}

	/** One that {@link #kill} kills. */
	private ConsulLockRegistry mortal() {
		this.mortal = new HookedClient(this.consul.newClient());
		return start(this.mortal);
	}

	/** From now on it reaches Consul no more, and its session ends. */
	private void kill() {
		HookedClient client = this.mortal;
		Runnable unreachable = () -> {
			throw new ConsulUnavailableException("Killed");
		};
		client.alwaysBefore(unreachable);
		client.createdSessions().forEach(this.consul::destroySession);
	}

	private void endLockDelay() {
		this.clock.addAndGet(TimeUnit.SECONDS.toNanos(11));
	}

	private ReadWriteState state() {
		return ReadWriteState.of(this.consul.read("locks/a", LONG).orElse(null));
	}

	private KvEntry member(ReadWriteState.Member member) {
		return members().stream().filter((entry) -> entry.key().endsWith(member.id())).findFirst().orElseThrow();
	}

	private List<KvEntry> members() {
		return this.consul.list("locks/.consul-lock/rw/");
	}

	private void assertNothingIsLeft() {
		await().untilAsserted(() -> {
			assertThat(this.consul.read("locks/a", LONG)).isEmpty();
			assertThat(members()).isEmpty();
		});
	}

}
