package io.github.consullock.interop;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulSemaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Semaphores of this library and {@code api.Semaphore} of Consul's Go client with one
 * limit.
 */
class GoSemaphoreInteropTests extends GoParticipants {

	private static final String SEMAPHORE_FLAGS = "16210313421097356768";

	@Test
	void permitsAreSharedAndWhoWaitsGetsThatOfTheOther() {
		GoDriver go = holding("pool", 2);
		ConsulLockRegistry java = this.participants.java();
		ConsulSemaphore semaphore = java.semaphore("pool", 2);
		LockHandle permit = semaphore.acquire();
		java.semaphore("warm-up", 1).acquire().close();
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(semaphore.tryAcquire(Duration.ofSeconds(1))).isEmpty();
		GoDriver other = go("pool", 2, "wait=300ms");
		assertThat(other.ask("acquire")).isEqualTo("denied");
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(semaphore::acquire);
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(waiting).isNotDone();
		assertThat(go.ask("release")).isEqualTo("released");
		LockHandle second = waiting.join();
		CompletableFuture<String> inGo = go.tell("acquire");
		assertThat(other.ask("acquire")).isEqualTo("denied");
		assertThat(inGo).isNotDone();
		assertThat(permit.release()).isTrue();
		assertThat(inGo.join()).isEqualTo("acquired");
		assertThat(second.isHeld()).isTrue();
		assertThat(second.release()).isTrue();
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
	}

	@Test
	void noMoreThanTheLimitAreInsideWhoeverTheyAre(@TempDir Path inside) throws Exception {
		List<CompletableFuture<String>> inGo = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			inGo.add(this.participants.go().tell("permit-rounds 10 " + this.participants.key("pool") + " 2 " + inside));
		}
		List<Future<?>> inJava = new ArrayList<>();
		ExecutorService threads = Executors.newFixedThreadPool(3);
		try {
			for (int i = 0; i < 3; i++) {
				ConsulSemaphore semaphore = this.participants.java().semaphore("pool", 2);
				inJava.add(threads.submit(() -> {
					for (int round = 0; round < 20; round++) {
						try (LockHandle permit = semaphore.acquire()) {
							permit.ensureHeld();
							Participants.inside(inside, 2);
						}
					}
				}));
			}
			for (Future<?> future : inJava) {
				future.get(3, TimeUnit.MINUTES);
			}
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(inGo).allSatisfy((answer) -> assertThat(answer.get(3, TimeUnit.MINUTES)).isEqualTo("done"));
	}

	@Test
	void anotherLimitIsRefusedByBothAndBothAreNamed() {
		GoDriver go = holding("pool", 2);
		ConsulSemaphore three = this.participants.java().semaphore("pool", 3);
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(three::acquire)
			.withMessageMatching("(?s).*\\b2\\b.*")
			.withMessageMatching("(?s).*\\b3\\b.*");
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(go.ask("destroy")).isEqualTo("destroyed");
		LockHandle permit = three.acquire();
		assertThat(go.ask("acquire")).isEqualTo("error: semaphore limit conflict (lock: 3, local: 2)");
		assertThat(permit.release()).isTrue();
	}

	@Test
	void thePermitOfADeadGoIsToBeHadAfterItsLockDelay() {
		// Longer than it may take to look who is dead.
		Duration lockDelay = Duration.ofSeconds(4);
		GoDriver go = go("pool", 1, "ttl=30s behavior=delete delay=" + lockDelay.toSeconds() + "s");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		ConsulSemaphore semaphore = this.participants.java().semaphore("pool", 1);
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(semaphore::acquire);
		String session = semaphore.holders().get(0).session();
		long before = System.nanoTime();
		this.participants.observer.destroySession(session);
		await().until(() -> go.ask("lost?").equals("lost"));
		LockHandle permit = waiting.join();
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(lockDelay);
		assertThat(permit.release()).isTrue();
	}

	@Test
	void goTakesThePermitOfASessionThatHasEndedAndThisLibraryTellsItsHolder() {
		ConsulSemaphore semaphore = this.participants.java().semaphore("pool", 1);
		LockHandle permit = semaphore.acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		GoDriver go = go("pool", 1, "");
		CompletableFuture<String> waiting = go.tell("acquire");
		this.participants.observer.destroySession(semaphore.holders().get(0).session());
		assertThat(waiting.join()).isEqualTo("acquired");
		await().until(() -> told.get() != null);
		assertThat(permit.release()).isFalse();
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
	}

	@Test
	void eachSeesWhoHoldsPermitsOfTheOther() {
		GoDriver go = go("pool", 2, "value=orders-in-go");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		ConsulSemaphore semaphore = this.participants.java().semaphore("pool", 2);
		LockHandle permit = semaphore.acquire();
		assertThat(semaphore.holders()).hasSize(2)
			.anySatisfy((holder) -> assertThat(holder.value()).isEqualTo("orders-in-go"))
			.anySatisfy((holder) -> assertThat(holder.pid()).isEqualTo(ProcessHandle.current().pid()));
		assertThat(go.ask("entry " + this.participants.key("pool/.lock"))).contains(" " + SEMAPHORE_FLAGS + " ")
			.contains("\"Limit\":2")
			.contains(semaphore.holders().get(0).session())
			.contains(semaphore.holders().get(1).session());
		permit.close();
		assertThat(go.ask("release")).isEqualTo("released");
	}

	@Test
	void bothLoseTheirPermitsWhenAnOperatorDeletesAll() {
		GoDriver go = holding("pool", 2);
		LockHandle permit = this.participants.java().semaphore("pool", 2).acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		for (KvEntry entry : this.participants.entries("pool/")) {
			this.participants.observer.transact(List.of(KvOperation.delete(entry.key())), Participants.LONG);
		}
		await().until(() -> told.get() != null);
		await().until(() -> go.ask("lost?").equals("lost"));
		assertThat(permit.release()).isFalse();
	}

	@Test
	void neitherDestroysWhatTheOtherHolds() {
		ConsulSemaphore semaphore = this.participants.java().semaphore("pool", 2);
		LockHandle permit = semaphore.acquire();
		GoDriver go = go("pool", 2, "");
		assertThat(go.ask("destroy")).isEqualTo("error: Semaphore in use");
		assertThat(permit.isHeld()).isTrue();
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		assertThat(permit.release()).isTrue();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(semaphore::destroy);
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
		semaphore.destroy();
		assertThat(go.ask("destroy")).isEqualTo("destroyed");
		assertThat(this.participants.entries("pool/")).isEmpty();
	}

	private GoDriver holding(String key, int limit) {
		GoDriver go = go(key, limit, "");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		return go;
	}

	private GoDriver go(String key, int limit, String settings) {
		return this.participants.go().does("semaphore " + this.participants.key(key) + " " + limit + " " + settings);
	}

}
