package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

@ConsulTest
@SuppressWarnings("LockNotBeforeTry") // Locks are what is tested here.
class ReadWriteLockTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private Instances instances;

	private ConsulReadWriteLock one;

	private ConsulReadWriteLock two;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.one = start("one").readWriteLock("a");
		this.two = start("two").readWriteLock("a");
	}

	private ConsulLockRegistry start(String name) {
		return Instances.warmUp(this.instances.start((builder) -> builder.instanceName(name)));
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void readersHoldItTogetherAndAWriterHoldsItAlone() {
		LockHandle first = this.one.readLock().acquire();
		LockHandle second = this.one.readLock().acquire();
		LockHandle third = this.two.readLock().acquire();
		assertThat(List.of(first, second, third)).extracting(LockHandle::fencingToken)
			.isSorted()
			.doesNotHaveDuplicates();
		assertThat(this.one.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(this.two.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(first.release()).isTrue();
		assertThat(third.release()).isTrue();
		assertThat(this.two.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(second.release()).isTrue();
		LockHandle writer = this.two.writeLock().tryAcquire(Duration.ZERO).orElseThrow();
		assertThat(writer.fencingToken()).isGreaterThan(third.fencingToken());
		assertThat(writer.key()).isEqualTo(this.instances.prefix() + "a").isEqualTo(this.one.key());
		for (ConsulReadWriteLock lock : List.of(this.one, this.two)) {
			assertThat(lock.readLock().tryAcquire(Duration.ZERO)).isEmpty();
			assertThat(lock.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		}
		assertThat(writer.release()).isTrue();
		assertNothingIsLeft();
	}

	@Test
	void aWaitingWriterKeepsLaterReadersOutAndBothHaveTheirTurn() {
		LockHandle reader = this.one.readLock().acquire();
		CompletableFuture<LockHandle> writer = this.two.writeLock().acquireAsync(LONG);
		await().until(() -> waiting() == 1);
		assertThat(this.one.readLock().tryAcquire(Duration.ZERO)).isEmpty();
		CompletableFuture<LockHandle> later = this.one.readLock().acquireAsync(LONG);
		await().until(() -> waiting() == 2);
		assertThat(writer).isNotDone();
		reader.close();
		LockHandle written = writer.join();
		assertThat(later).isNotDone();
		written.close();
		assertThat(later.join().fencingToken()).isGreaterThan(written.fencingToken());
		later.join().close();
		assertNothingIsLeft();
	}

	@Test
	void itIsHadInTheOrderOfAskingAcrossInstances() {
		LockHandle held = this.one.writeLock().acquire();
		List<String> order = new CopyOnWriteArrayList<>();
		List<CompletableFuture<Void>> all = new ArrayList<>();
		List<ConsulLock> wanted = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			wanted.add(this.instances.start().readWriteLock("a").writeLock());
			wanted.add(this.instances.start().readWriteLock("a").readLock());
		}
		for (ConsulLock lock : wanted) {
			int number = all.size();
			all.add(lock.acquireAsync(LONG).thenAccept((handle) -> {
				order.add(number + ":" + handle.fencingToken());
				handle.close();
			}));
			await().until(() -> waiting() == number + 1);
		}
		held.close();
		all.forEach(CompletableFuture::join);
		assertThat(order).extracting((entry) -> entry.substring(0, 1)).containsExactly("0", "1", "2", "3", "4", "5");
		assertThat(order).extracting((entry) -> Long.valueOf(entry.substring(2))).isSorted();
		assertNothingIsLeft();
	}

	@Test
	void readersBehindAWriterAllEnterWhenItLeaves() {
		LockHandle writer = this.one.writeLock().acquire();
		List<CompletableFuture<LockHandle>> readers = new ArrayList<>();
		for (int i = 0; i < 4; i++) {
			readers.add(this.instances.start().readWriteLock("a").readLock().acquireAsync(LONG));
		}
		await().until(() -> waiting() == 4);
		writer.close();
		readers.forEach(CompletableFuture::join);
		readers.forEach((reader) -> assertThat(reader.join().release()).isTrue());
		assertNothingIsLeft();
	}

	@Test
	void aWriterMayComeDownToReadingThoughOthersWaitAndLetsNobodyInBetween() throws Exception {
		this.one.writeLock().lock();
		CompletableFuture<LockHandle> localWriter = this.one.writeLock().acquireAsync(LONG);
		await().until(() -> waiting() == 1);
		CompletableFuture<LockHandle> reader = this.two.readLock().acquireAsync(LONG);
		await().until(() -> waiting() == 2);
		assertThat(this.one.readLock().tryLock(1, TimeUnit.MINUTES)).isTrue();
		assertThat(this.one.readLock().tryLock()).isTrue();
		this.one.readLock().unlock();
		assertThat(this.one.readLock().isLocked()).isTrue();
		assertThat(this.one.writeLock().isLocked()).isTrue();
		this.one.writeLock().unlock();
		assertThat(this.one.writeLock().isLocked()).isFalse();
		await().during(Duration.ofMillis(500)).until(() -> !localWriter.isDone() && !reader.isDone());
		this.one.readLock().unlock();
		localWriter.join().close();
		reader.join().close();
		assertNothingIsLeft();
	}

	@Test
	void aWriterThatHasComeDownLetsOtherReadersIn() {
		this.one.writeLock().lock();
		assertThat(this.two.readLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(this.one.readLock().tryLock()).isTrue();
		this.one.writeLock().unlock();
		assertThat(this.two.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		this.two.readLock().tryAcquire(Duration.ZERO).orElseThrow().close();
		this.one.readLock().unlock();
		assertNothingIsLeft();
	}

	@Test
	void aThreadThatComesDownReadsWhatItHasWritten() {
		ConsulLockRegistry registry = this.instances.start();
		AtomicReference<String> document = new AtomicReference<>();
		// tag::read-write[]
		ConsulReadWriteLock lock = registry.readWriteLock("doc/7");
		lock.writeLock().lock();
		try {
			document.set("revised");
			lock.readLock().lock(); // waits for nobody
		}
		finally {
			lock.writeLock().unlock(); // others may read now, not yet write
		}
		try {
			assertThat(document).hasValue("revised");
		}
		finally {
			lock.readLock().unlock();
		}
		// end::read-write[]
		assertThat(lock.readLock().isLocked()).isFalse();
	}

	@Test
	void aReaderThatWantsToWriteIsRefusedAtOnceAndKeepsReading() throws Exception {
		this.one.readLock().lock();
		ConsulLock writeLock = this.one.writeLock();
		assertThatIllegalStateException().isThrownBy(writeLock::tryLock).withMessageContaining("unlock the read lock");
		assertThatIllegalStateException().isThrownBy(writeLock::lock);
		assertThatIllegalStateException().isThrownBy(() -> writeLock.tryLock(1, TimeUnit.DAYS));
		assertThatIllegalStateException().isThrownBy(writeLock::lockInterruptibly);
		assertThat(this.one.readLock().isLocked()).isTrue();
		CompletableFuture.runAsync(() -> assertThat(writeLock.tryLock()).isFalse()).get();
		this.one.readLock().unlock();
		assertThat(writeLock.tryLock()).isTrue();
		writeLock.unlock();
		assertNothingIsLeft();
	}

	@Test
	void bothSidesAreReentrantAndOwnedByTheThread() {
		for (ConsulLock lock : List.of(this.one.readLock(), this.one.writeLock())) {
			lock.lock();
			lock.lock();
			lock.unlock();
			assertThat(lock.isLocked()).isTrue();
			CompletableFuture
				.runAsync(() -> assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock))
				.join();
			lock.unlock();
			assertThat(lock.isLocked()).isFalse();
		}
		assertNothingIsLeft();
	}

	@Test
	void aHandleIsAlwaysASeparateWait() {
		this.one.writeLock().lock();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.one.readLock().acquire(Duration.ofMillis(100)))
			.withMessageContaining("this very thread has locked it with lock()");
		this.one.writeLock().unlock();
		assertNothingIsLeft();
	}

	@Test
	void whoGivesUpLeavesTheQueueSoThatOthersEnter() throws Exception {
		LockHandle reader = this.one.readLock().acquire();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.two.writeLock().acquire(Duration.ofSeconds(2)))
			.withMessageContaining("held by")
			.withMessageContaining("\"one\"");
		await().until(() -> waiting() == 0);
		CompletableFuture<LockHandle> cancelled = this.two.writeLock().acquireAsync(LONG);
		await().until(() -> waiting() == 1);
		CompletableFuture<LockHandle> other = this.one.readLock().acquireAsync(LONG);
		await().until(() -> waiting() == 2);
		cancelled.cancel(true);
		other.join().close();
		Thread interrupted = new Thread(() -> assertThatExceptionOfType(LockInterruptedException.class)
			.isThrownBy(() -> this.two.writeLock().acquire(LONG)));
		interrupted.start();
		await().until(() -> waiting() == 1);
		interrupted.interrupt();
		interrupted.join();
		await().until(() -> waiting() == 0);
		reader.close();
		assertNothingIsLeft();
	}

	@Test
	void closingEndsWaitsAndHoldsAndLeavesNothing() {
		ConsulLockRegistry closed = this.instances.start();
		LockHandle reader = closed.readWriteLock("a").readLock().acquire();
		reader.onLost((reason) -> reader.close());
		CompletableFuture<LockHandle> writer = closed.readWriteLock("a").writeLock().acquireAsync(LONG);
		await().until(() -> waiting() == 1);
		closed.close();
		assertThat(writer).isCompletedExceptionally();
		assertThat(this.instances.observer.list(this.instances.prefix() + "a")).isEmpty();
		assertThat(this.instances.observer.list(this.instances.prefix() + ".consul-lock/rw")).isEmpty();
	}

	@Test
	void aLockAndAReadWriteLockOfOneKeyConflict() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain("a");
		LockHandle reader = registry.readWriteLock("a").readLock().acquire();
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(() -> lock.tryAcquire(LONG));
		reader.close();
		LockHandle held = lock.acquire();
		assertThatExceptionOfType(LockConflictException.class)
			.isThrownBy(() -> registry.readWriteLock("a").writeLock().tryAcquire(LONG));
		assertThatExceptionOfType(LockConflictException.class)
			.isThrownBy(() -> this.two.readLock().tryAcquire(Duration.ZERO))
			.withMessageContaining("no read-write lock");
		held.close();
		this.instances.request("PUT", "/v1/kv/" + this.one.key() + "?flags=8248111186300857137", "{}");
		assertThat(LockFlags.READ_WRITE).isEqualTo(8248111186300857137L);
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(() -> this.two.writeLock().acquire());
		assertThat(this.instances.entry("a").value()).isEqualTo("{}");
	}

	@Test
	void holdersAreShownSideBySideAndDestroyRefusesBoth() {
		LockHandle reader = this.one.readLock().acquire();
		assertThat(this.two.readLock().holder()).hasValueSatisfying((holder) -> {
			assertThat(holder.instance()).isEqualTo("one");
			assertThat(holder.session()).isNotEmpty();
		});
		assertThat(this.two.writeLock().holder()).isEmpty();
		for (ConsulLock side : List.of(this.two.readLock(), this.two.writeLock())) {
			assertThatExceptionOfType(LockInUseException.class).isThrownBy(side::destroy)
				.withMessageContaining("\"one\"");
		}
		reader.close();
		LockHandle writer = this.one.writeLock().acquire();
		assertThat(this.two.readLock().isLocked()).isFalse();
		assertThat(this.two.writeLock().isLocked()).isTrue();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(this.two.readLock()::destroy);
		writer.close();
		this.two.readLock().destroy();
		assertNothingIsLeft();
	}

	@Test
	void anEntryThatIsToStayStaysUntilItIsDestroyed() {
		ConsulReadWriteLock staying = this.instances.start()
			.readWriteLock(LockOptions.builder("a").deleteOnRelease(false).build());
		staying.readLock().acquire().close();
		assertThat(this.instances.entry("a")).isNotNull();
		LockHandle writer = this.one.writeLock().tryAcquire(Duration.ZERO).orElseThrow();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(staying.writeLock()::destroy);
		writer.close();
		staying.writeLock().acquire().close();
		assertThat(this.instances.entry("a")).isNotNull();
		staying.writeLock().destroy();
		assertNothingIsLeft();
	}

	@Test
	void aDeletedStateOrMemberIsALossAndLeavesNothing() {
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		LockHandle reader = this.one.readLock().acquire();
		reader.onLost(told::add);
		this.instances.request("DELETE", "/v1/kv/" + this.one.key(), "");
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.KEY_DELETED));
		assertNothingIsLeft();
		LockHandle writer = this.one.writeLock().acquire();
		writer.onLost(told::add);
		this.instances.request("DELETE", "/v1/kv/" + member().key(), "");
		await().untilAsserted(() -> assertThat(told).hasSize(2));
		assertThat(writer.release()).isFalse();
		assertNothingIsLeft();
	}

	@Test
	void aLostSideThrowsUntilItIsUnlockedAndIsNoWayDown() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulReadWriteLock lock = registry.readWriteLock("a");
		lock.writeLock().lock();
		this.instances.observer.destroySession(member().session());
		await().until(() -> registry.heldLocks().isEmpty());
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lock.readLock()::lock);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lock.readLock()::tryLock);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lock.writeLock()::lock);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lock.writeLock()::unlock);
		lock.readLock().lock();
		lock.readLock().unlock();
	}

	@Test
	void aGuardedPutIsBoundToTheHoldAndNotToTheOtherReaders() {
		LockHandle reader = this.one.readLock().acquire();
		LockHandle other = this.two.readLock().acquire();
		String key = this.instances.prefix().replace("/", "") + "-guarded";
		reader.guardedPut(key, "1");
		other.close();
		reader.guardedPut(key, "2");
		assertThat(this.instances.request("DELETE", "/v1/kv/" + key, "")).contains("true");
		this.instances.request("DELETE", "/v1/kv/" + member().key(), "");
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> reader.guardedPut(key, "3"));
		assertThat(this.instances.request("GET", "/v1/kv/" + key, "")).isEmpty();
	}

	@Test
	void aHoldLastsForAsLongAsItsOptionsSay() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle kept = registry.readWriteLock(LockOptions.builder("a").holdAtLeast(Duration.ofSeconds(3)).build())
			.readLock()
			.acquire();
		kept.close();
		assertThat(this.two.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		this.two.writeLock().acquire(LONG).close();
		LockHandle limited = registry.readWriteLock(LockOptions.builder("a").maxHold(Duration.ofSeconds(1)).build())
			.writeLock()
			.acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		limited.onLost(told::add);
		await().untilAsserted(() -> assertThat(told).containsExactly(LockLostReason.MAX_HOLD_EXCEEDED));
		limited.close();
		assertNothingIsLeft();
	}

	@Test
	void severalKeysAreRefused() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> this.instances.start().readWriteLock(LockOptions.builder(List.of("a", "b")).build()))
			.withMessageContaining("one key");
	}

	@Test
	void keysBelowOneAnotherHaveNothingToDoWithEachOther() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle writer = registry.readWriteLock("a/b").writeLock().acquire();
		LockHandle other = this.one.writeLock().tryAcquire(Duration.ZERO).orElseThrow();
		assertThat(this.one.readLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(other.release()).isTrue();
		assertThat(writer.release()).isTrue();
	}

	/** How many wait in Consul. */
	private int waiting() {
		ReadWriteState state = ReadWriteState.of(this.instances.entry("a"));
		return (state != null) ? state.queue().size() : -1;
	}

	/** The only one. */
	private KvEntry member() {
		List<KvEntry> members = members();
		assertThat(members).hasSize(1);
		return members.get(0);
	}

	private List<KvEntry> members() {
		return this.instances.observer.list(this.instances.prefix() + ".consul-lock/rw/");
	}

	private void assertNothingIsLeft() {
		await().untilAsserted(() -> {
			assertThat(this.instances.entry("a")).isNull();
			assertThat(members()).isEmpty();
		});
	}

}
