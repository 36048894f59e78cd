package io.github.consullock.interop;

import java.nio.file.Files;
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
import io.github.consullock.LockHolder;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Locks of this library and {@code api.Lock} of Consul's Go client on one key.
 */
class GoLockInteropTests extends GoParticipants {

	private static final long GO_LOCK_FLAGS = 0x2ddccbc058a50c18L;

	@Test
	void whatGoHoldsIsNotToBeHadAndIsTakenWhenGoReleasesIt() {
		GoDriver go = holding("a");
		ConsulLockRegistry java = this.participants.java();
		java.obtain("warm-up").acquire().close();
		ConsulLock lock = java.obtain("a");
		assertThat(lock.tryAcquire(Duration.ZERO)).isEmpty();
		KvEntry held = this.participants.entry("a");
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> lock.acquire(Duration.ofSeconds(1)))
			.withMessageContaining(held.session().substring(0, 8))
			.withMessageNotContaining(held.session());
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(lock::acquire);
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(waiting).isNotDone();
		assertThat(go.ask("release")).isEqualTo("released");
		LockHandle handle = waiting.join();
		assertThat(handle.fencingToken()).isGreaterThan(held.modifyIndex());
		assertThat(go.ask("lock " + lock.key() + " wait=100ms")).isEqualTo("ok");
		assertThat(go.ask("acquire")).isEqualTo("denied");
		assertThat(handle.release()).isTrue();
		// Go leaves the entry; this library does not.
		assertThat(this.participants.entry("a")).isNull();
	}

	@Test
	void whatThisLibraryHoldsGoDoesNotGetBeforeItIsReleased() {
		LockHandle handle = this.participants.java().obtain("a").acquire();
		GoDriver go = this.participants.go().does("lock " + handle.key() + " wait=300ms");
		assertThat(go.ask("acquire")).isEqualTo("denied");
		CompletableFuture<String> waiting = go.does("lock " + handle.key()).tell("acquire");
		GoDriver other = this.participants.go().does("lock " + handle.key() + " wait=300ms");
		assertThat(other.ask("acquire")).isEqualTo("denied");
		assertThat(waiting).isNotDone();
		assertThat(handle.release()).isTrue();
		assertThat(waiting.join()).isEqualTo("acquired");
		KvEntry entry = this.participants.entry("a");
		assertThat(entry.flags()).isEqualTo(GO_LOCK_FLAGS);
		assertThat(entry.modifyIndex()).isGreaterThan(handle.fencingToken());
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(this.participants.entry("a").session()).isNull();
	}

	@Test
	void bothTakeTurnsOneAtATimeWithRisingTokens(@TempDir Path directory) throws Exception {
		Path inside = Files.createDirectory(directory.resolve("inside"));
		Path token = directory.resolve("token");
		List<CompletableFuture<String>> inGo = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			inGo.add(this.participants.go().tell("lock-rounds 10 " + this.participants.key("a") + " " + inside));
		}
		List<Future<?>> inJava = new ArrayList<>();
		ExecutorService threads = Executors.newFixedThreadPool(4);
		try {
			for (int i = 0; i < 4; i++) {
				ConsulLock lock = this.participants.java().obtain("a");
				inJava.add(threads.submit(() -> {
					for (int round = 0; round < 10; round++) {
						try (LockHandle handle = lock.acquire()) {
							Participants.inside(inside, 1);
							Participants.risesTo(token, handle.fencingToken());
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
	void goGetsItsTurnHoweverManyOfThisLibraryGoOnAndOn() throws Exception {
		ConsulLockRegistry java = this.participants.java();
		ExecutorService threads = Executors.newFixedThreadPool(3);
		GoDriver go = this.participants.go().does("lock " + this.participants.key("a"));
		try {
			LockHandle first = java.obtain("a").acquire();
			CompletableFuture<String> waiting = go.tell("acquire");
			List<Future<?>> inJava = new ArrayList<>();
			for (int i = 0; i < 3; i++) {
				inJava.add(threads.submit(() -> {
					while (!waiting.isDone()) {
						java.obtain("a").tryAcquire(Duration.ofMillis(200)).ifPresent(LockHandle::close);
					}
				}));
			}
			first.close();
			await().until(waiting::isDone);
			assertThat(waiting).isCompletedWithValue("acquired");
			for (Future<?> future : inJava) {
				future.get(1, TimeUnit.MINUTES);
			}
			assertThat(go.ask("release")).isEqualTo("released");
		}
		finally {
			threads.shutdownNow();
		}
	}

	@Test
	void lockDelayOfGosSessionIsWaitedOut() {
		GoDriver go = this.participants.go()
			.does("lock " + this.participants.key("a") + " ttl=30s delay=" + Participants.LOCK_DELAY.toSeconds() + "s");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		ConsulLock lock = this.participants.java().obtain("a");
		CompletableFuture<LockHandle> waiting = CompletableFuture.supplyAsync(lock::acquire);
		long before = System.nanoTime();
		this.participants.destroySessionOf("a");
		await().until(() -> go.ask("lost?").equals("lost"));
		LockHandle handle = waiting.join();
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Participants.LOCK_DELAY);
		assertThat(handle.release()).isTrue();
	}

	@Test
	void goWaitsOutLockDelayOfThisLibrarysSession() {
		LockHandle handle = this.participants.javaWithLockDelay().obtain("a").acquire();
		GoDriver go = this.participants.go().does("lock " + handle.key());
		CompletableFuture<String> waiting = go.tell("acquire");
		long before = System.nanoTime();
		this.participants.destroySessionOf("a");
		await().until(() -> !handle.isHeld());
		assertThat(waiting.join()).isEqualTo("acquired");
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Participants.LOCK_DELAY);
		assertThat(handle.release()).isFalse();
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
	}

	@Test
	void eachSeesThatTheOtherHasTakenWhatAnOperatorDeleted() {
		LockHandle java = this.participants.java().obtain("a").acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		java.onLost(told::set);
		this.participants.delete("a");
		GoDriver go = holding("a");
		await().until(() -> told.get() != null);
		assertThat(told.get()).isIn(LockLostReason.KEY_DELETED, LockLostReason.TAKEN_OVER);
		assertThat(java.release()).isFalse();
		assertThat(go.ask("lost?")).isEqualTo("held");
		this.participants.delete("a");
		LockHandle next = this.participants.java().obtain("a").acquire();
		await().until(() -> go.ask("lost?").equals("lost"));
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(next.isHeld()).isTrue();
		assertThat(next.release()).isTrue();
	}

	@Test
	void goDoesNotDestroyWhatThisLibraryHolds() {
		LockHandle handle = this.participants.java().obtain("a").acquire();
		GoDriver go = this.participants.go().does("lock " + handle.key());
		assertThat(go.ask("destroy")).isEqualTo("error: Lock in use");
		assertThat(handle.isHeld()).isTrue();
		assertThat(handle.release()).isTrue();
		assertThat(go.ask("destroy")).isEqualTo("destroyed");
	}

	@Test
	void thisLibraryDoesNotDestroyWhatGoHoldsButWhatGoHasLeft() {
		GoDriver go = holding("a");
		ConsulLock lock = this.participants.java().obtain("a");
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(lock::destroy);
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(this.participants.entry("a")).isNotNull();
		lock.destroy();
		assertThat(this.participants.entry("a")).isNull();
	}

	@Test
	void thisLibraryTellsWhoHoldsInGo() {
		ConsulLock lock = this.participants.java().obtain("a");
		GoDriver go = this.participants.go().does("lock " + lock.key() + " value=orders-in-go");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		LockHolder holder = lock.holder().orElseThrow();
		assertThat(holder.session()).isEqualTo(this.participants.entry("a").session());
		assertThat(holder.value()).isEqualTo("orders-in-go");
		assertThat(holder.instance()).isNull();
		assertThat(holder.pid()).isNull();
		assertThat(lock.isLocked()).isTrue();
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(lock.isLocked()).isFalse();
	}

	@Test
	void bothMayHoldByOneSession() {
		GoDriver go = this.participants.go().does("lock " + this.participants.key("a") + " ttl=30s");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		String session = this.participants.entry("a").session();
		LockHandle handle = this.participants.java()
			.obtain(LockOptions.builder("a").session(session).tryOnce(true).build())
			.acquire();
		assertThat(this.participants.entry("a").session()).isEqualTo(session);
		assertThat(handle.release()).isTrue();
		await().until(() -> go.ask("lost?").equals("lost"));
	}

	@Test
	void goReadsWhoHoldsALockOfThisLibrary() {
		LockHandle handle = this.participants.java((builder) -> builder.instanceName("orders-1")).obtain("a").acquire();
		KvEntry entry = this.participants.entry("a");
		assertThat(this.participants.go().ask("entry " + handle.key()))
			.startsWith(entry.session() + " " + GO_LOCK_FLAGS + " {")
			.contains("\"instance\":\"orders-1\"")
			.contains("\"pid\":" + ProcessHandle.current().pid());
		handle.close();
	}

	@Test
	void neitherTakesTheOthersSemaphoreForALock() {
		String prefix = this.participants.key("pool");
		GoDriver go = this.participants.go().does("semaphore " + prefix + " 2");
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		ConsulLock lock = this.participants.java().obtain("pool/.lock");
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::acquire)
			.withMessageContaining(prefix + "/.lock");
		assertThat(go.ask("lost?")).isEqualTo("held");
		assertThat(go.ask("release")).isEqualTo("released");
		assertThat(go.ask("destroy")).isEqualTo("destroyed");
		LockHandle handle = lock.acquire();
		assertThat(go.ask("acquire")).isEqualTo("error: Existing key does not match semaphore use");
		assertThat(handle.release()).isTrue();
	}

	private GoDriver holding(String key) {
		GoDriver go = this.participants.go().does("lock " + this.participants.key(key));
		assertThat(go.ask("acquire")).isEqualTo("acquired");
		return go;
	}

}
