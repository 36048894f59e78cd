package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockListener;
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
class ConsulLockTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private Instances instances;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.instances = new Instances(consul.httpUri(), prefix.value());
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void aHandleOfALockThatTheThreadHasLockedIsNotReentrantAndSaysSo() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain(LockOptions.builder("a").waitTime(Duration.ofMillis(50)).build());
		lock.lock();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(lock::acquire)
			.withMessageContaining("this very thread has locked it with lock()");
		lock.unlock();
		LockHandle handle = lock.acquire();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(lock::acquire)
			.withMessageContaining("perhaps by this very thread: a LockHandle is not reentrant");
		handle.close();
	}

	@Test
	void aWaitTimeThatIsNullIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.instances.start().obtain("a").tryAcquire(null))
			.withMessageContaining("Duration.ZERO");
	}

	@Test
	void anAcquiredLockIsHeldUntilItIsReleased() {
		ConsulLock lock = this.instances.start().obtain("a");
		try (LockHandle handle = lock.acquire()) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(handle.key()).isEqualTo(this.instances.prefix() + "a");
			assertThat(handle.keys()).containsExactly(handle.key());
			assertThat(handle.remaining()).isPositive().isLessThan(Instances.WITHOUT_LOCK_DELAY.ttl());
			KvEntry entry = this.instances.entry("a");
			assertThat(entry.flags()).isEqualTo(3304740253564472344L);
			assertThat(entry.modifyIndex()).isEqualTo(handle.fencingToken());
			assertThat(entry.value()).contains("\"pid\":" + ProcessHandle.current().pid());
			handle.ensureHeld();
			assertThat(handle.release()).isTrue();
			assertThat(handle.isHeld()).isFalse();
			assertThat(handle.remaining()).isZero();
			assertThatIllegalStateException().isThrownBy(handle::ensureHeld);
		}
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void anotherInstanceWaitsAndThenHoldsItWithAGreaterToken() {
		LockHandle first = this.instances.start().obtain("a").acquire();
		ConsulLockRegistry other = Instances.warmUp(this.instances.start());
		assertThat(other.obtain("a").tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(other.obtain("a").tryAcquire(Duration.ofSeconds(1))).isEmpty();
		CompletableFuture<LockHandle> second = CompletableFuture
			.supplyAsync(() -> other.obtain("a").tryAcquire(LONG).orElseThrow());
		await().until(() -> other.heldLocks().isEmpty() && !second.isDone());
		assertThat(first.release()).isTrue();
		assertThat(second.join().fencingToken()).isGreaterThan(first.fencingToken());
		second.join().close();
	}

	@Test
	void whoWaitsInVainLearnsForWhom() {
		LockHandle held = this.instances.start((builder) -> builder.instanceName("orders-1")).obtain("a").acquire();
		ConsulLock lock = Instances.warmUp(this.instances.start((builder) -> builder.waitTime(Duration.ofSeconds(1))))
			.obtain("a");
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(lock::acquire)
			.withMessageContaining(held.key())
			.withMessageContaining("1.0 s")
			.withMessageContaining("orders-1")
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(held.key()));
		held.close();
	}

	@Test
	void threadsOfOneInstanceGetItInTheOrderTheyCame() throws Exception {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle first = registry.obtain("a").acquire();
		List<Integer> order = new ArrayList<>();
		List<Long> tokens = new ArrayList<>(List.of(first.fencingToken()));
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			int number = i;
			Thread thread = new Thread(() -> {
				try (LockHandle handle = registry.obtain("a").tryAcquire(LONG).orElseThrow()) {
					order.add(number);
					tokens.add(handle.fencingToken());
				}
			});
			threads.add(thread);
			thread.start();
			await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
		}
		first.close();
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(order).containsExactly(0, 1, 2, 3, 4);
		assertThat(tokens).isSorted().doesNotHaveDuplicates();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void asAJavaLockItIsReentrantAndOwnedByItsThread() throws Exception {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain("a");
		lock.lock();
		assertThat(lock.tryLock()).isTrue();
		registry.obtain("a").lockInterruptibly();
		assertThat(CompletableFuture.supplyAsync(lock::tryLock).get()).isFalse();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(() -> runElsewhere(lock::unlock));
		lock.unlock();
		lock.unlock();
		assertThat(this.instances.entry("a")).isNotNull();
		lock.unlock();
		assertThat(this.instances.entry("a")).isNull();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(lock::newCondition);
		assertThat(lock.tryLock(1, TimeUnit.MINUTES)).isTrue();
		lock.unlock();
	}

	@Test
	void aLostJavaLockSaysSoAndCanBeLockedAgain() {
		ConsulLock lock = this.instances.start().obtain("a");
		lock.lock();
		this.instances.destroySessionOf("a");
		await().pollInSameThread()
			.untilAsserted(() -> assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> relock(lock)));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::unlock)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED));
		lock.lock();
		lock.unlock();
	}

	private static void relock(ConsulLock lock) {
		lock.lock();
		lock.unlock();
	}

	@Test
	void aHandleIsNotReentrantAndSaysSo() {
		ConsulLockRegistry registry = this.instances.start();
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> registry.executeLocked("a", LONG,
					() -> registry.obtain(LockOptions.builder("a").tryOnce(true).build()).acquire()))
			.withMessageContaining("this very thread holds it");
		assertThat(registry.heldLocks()).isEmpty();
	}

	@Test
	void anEndedSessionEndsItsHoldsAndTellsEachOnce() {
		List<String> events = new CopyOnWriteArrayList<>();
		ConsulLockRegistry registry = this.instances
			.start((builder) -> builder.listener(new RecordingListener(events)));
		LockHandle a = registry.obtain("a").acquire();
		LockHandle b = registry.obtain("b").acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		AtomicReference<Thread> teller = new AtomicReference<>();
		a.onLost((reason) -> {
			assertThat(told.getAndSet(reason)).isNull();
			teller.set(Thread.currentThread());
		});
		this.instances.destroySessionOf("a");
		await().until(() -> teller.get() != null);
		assertThat(told).hasValue(LockLostReason.SESSION_INVALIDATED);
		assertThat(teller.get().getName()).doesNotContain("renewal").doesNotContain("deadline");
		await().until(() -> !b.isHeld());
		assertThat(a.isHeld()).isFalse();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(a::ensureHeld);
		assertThat(a.release()).isFalse();
		assertThat(b.release()).isFalse();
		AtomicReference<LockLostReason> late = new AtomicReference<>();
		a.onLost(late::set);
		assertThat(late).hasValue(LockLostReason.SESSION_INVALIDATED);
		try (LockHandle again = registry.obtain("a").acquire()) {
			assertThat(again.fencingToken()).isGreaterThan(a.fencingToken());
		}
		await().untilAsserted(() -> assertThat(events.stream().filter("lost"::equals)).hasSize(2));
	}

	@Test
	void aDeletedKeyEndsItsHoldOnly() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle a = registry.obtain("a").acquire();
		LockHandle b = registry.obtain("b").acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		a.onLost(told::set);
		this.instances.request("DELETE", "/v1/kv/" + a.key(), "");
		await().until(() -> told.get() == LockLostReason.KEY_DELETED);
		assertThat(b.isHeld()).isTrue();
		assertThat(a.release()).isFalse();
		assertThat(b.release()).isTrue();
	}

	@Test
	void aKeyTakenOverEndsItsHold() {
		LockHandle a = this.instances.start().obtain("a").acquire();
		this.instances.request("DELETE", "/v1/kv/" + a.key(), "");
		LockHandle other = this.instances.start().obtain("a").acquire();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		a.onLost(told::set);
		await().until(() -> told.get() != null);
		assertThat(told.get()).isIn(LockLostReason.TAKEN_OVER, LockLostReason.KEY_DELETED);
		assertThat(a.release()).isFalse();
		assertThat(other.release()).isTrue();
	}

	@Test
	void holdsBeyondTheWatchesAreVerifiedInBatches() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.maxWatches(1));
		List<LockHandle> handles = new ArrayList<>();
		for (int i = 0; i < 70; i++) {
			handles.add(registry.obtain("batch/" + i).acquire());
		}
		for (int i : List.of(3, 69)) {
			this.instances.request("DELETE", "/v1/kv/" + handles.get(i).key(), "");
		}
		await().until(() -> registry.heldLocks().size() == 68);
		assertThat(handles.get(3).isHeld()).isFalse();
		assertThat(handles.get(69).isHeld()).isFalse();
		handles.forEach(LockHandle::close);
		assertThat(this.instances.observer.list(this.instances.prefix() + "batch/")).isEmpty();
	}

	@Test
	void aPlainWriteBySomebodyDoesNotEndAHold() {
		LockHandle a = this.instances.start().obtain("a").acquire();
		this.instances.request("PUT", "/v1/kv/" + a.key(), "somebody's");
		assertThat(a.isHeld()).isTrue();
		assertThat(a.release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void aKeyThatIsNoLockIsRefusedAndLeftAlone() {
		this.instances.request("PUT", "/v1/kv/" + this.instances.prefix() + "a?flags=42", "precious");
		ConsulLock lock = this.instances.start().obtain("a");
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(lock::acquire)
			.withMessageContaining(this.instances.prefix() + "a")
			.withMessageContaining("42");
		assertThat(this.instances.entry("a").value()).isEqualTo("precious");
	}

	@Test
	void aKeyMayStayAfterItsRelease() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock lock = registry.obtain(LockOptions.builder("a").deleteOnRelease(false).value("mine").build());
		LockHandle first = lock.acquire();
		assertThat(first.release()).isTrue();
		KvEntry entry = this.instances.entry("a");
		assertThat(entry.session()).isNull();
		assertThat(entry.value()).isEqualTo("mine");
		assertThat(entry.flags()).isEqualTo(LockFlags.LOCK);
		LockHandle second = lock.acquire();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		second.close();
	}

	@Test
	void aBadKeyIsRefusedBeforeConsulIsAsked() {
		ConsulLockRegistry registry = this.instances.start();
		for (String key : List.of("", " ", "/a", "a/", "a//b", "../other", "a/../b", "a/./b", ".consul-lock/x", "a:b",
				"a b", "a%2Fb", "\u00e4")) {
			assertThatIllegalArgumentException().as(key).isThrownBy(() -> registry.obtain(key));
		}
		assertThatIllegalArgumentException().isThrownBy(() -> registry.obtain((String) null))
			.withMessageContaining("null");
		assertThat(this.instances.hasSessions()).isFalse();
	}

	@Test
	void anInterruptEndsAWaitAtOnceAndLeavesNothing() throws Exception {
		ConsulLockRegistry holder = this.instances.start();
		LockHandle held = holder.obtain("a").acquire();
		ConsulLockRegistry waiter = this.instances.start();
		for (ConsulLockRegistry registry : List.of(holder, waiter)) {
			AtomicReference<Throwable> failure = new AtomicReference<>();
			AtomicReference<Boolean> flag = new AtomicReference<>();
			Thread thread = new Thread(() -> {
				try {
					registry.obtain("a").tryAcquire(LONG);
				}
				catch (LockInterruptedException ex) {
					failure.set(ex);
					flag.set(Thread.currentThread().isInterrupted());
				}
			});
			thread.start();
			await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
			thread.interrupt();
			thread.join(Duration.ofMinutes(1).toMillis());
			assertThat(failure.get()).isInstanceOf(LockInterruptedException.class);
			assertThat(flag).hasValue(true);
		}
		assertThat(held.release()).isTrue();
		// An attempt that was interrupted on its way is settled in the background.
		await().until(() -> this.instances.entry("a") == null);
		try (LockHandle next = waiter.obtain("a").acquire()) {
			assertThat(next.isHeld()).isTrue();
		}
	}

	@Test
	void lockWaitsThroughAnInterruptAndSetsTheFlagAgain() throws Exception {
		LockHandle held = this.instances.start().obtain("a").acquire();
		ConsulLock lock = this.instances.start().obtain("a");
		AtomicReference<Boolean> flag = new AtomicReference<>();
		Thread thread = new Thread(() -> {
			lock.lock();
			flag.set(Thread.currentThread().isInterrupted());
			lock.unlock();
		});
		thread.start();
		await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
		thread.interrupt();
		assertThat(thread.isAlive()).isTrue();
		held.close();
		thread.join(LONG.toMillis());
		assertThat(flag).hasValue(true);
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void aReleaseOnAnInterruptedThreadReleasesAndKeepsTheFlag() {
		LockHandle handle = this.instances.start().obtain("a").acquire();
		Thread.currentThread().interrupt();
		boolean released = handle.release();
		assertThat(Thread.interrupted()).isTrue();
		assertThat(released).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void lockDelayIsWaitedOutAndNamed() {
		ConsulLockRegistry crashed = this.instances
			.start((builder) -> builder.session(Instances.SAFE.withName(this.instances.prefix())));
		LockHandle lost = crashed.obtain("a").acquire();
		ConsulLock lock = Instances.warmUp(this.instances.start()).obtain("a");
		ConsulLockRegistry impatient = Instances
			.warmUp(this.instances.start((builder) -> builder.waitTime(Duration.ofSeconds(3))));
		this.instances.destroySessionOf("a");
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> lock.tryAcquire(Duration.ZERO).orElseThrow(() -> denied(lock)))
			.withMessageContaining("no");
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(impatient.obtain("a")::acquire)
			.withMessageContaining("lock-delay");
		Optional<LockHandle> next = lock.tryAcquire(LONG);
		assertThat(next)
			.hasValueSatisfying((handle) -> assertThat(handle.fencingToken()).isGreaterThan(lost.fencingToken()));
		assertThat(lost.isHeld()).isFalse();
		next.orElseThrow().close();
	}

	private static LockNotAcquiredException denied(ConsulLock lock) {
		return new LockNotAcquiredException(lock.key(), "no");
	}

	@Test
	void closingReleasesDestroysAndLeavesNothing() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle handle = registry.obtain("a").acquire();
		CompletableFuture<Throwable> waiter = CompletableFuture.supplyAsync(() -> registry.obtain("a").tryAcquire(LONG))
			.handle((result, ex) -> (ex != null) ? ex : new IllegalStateException(result.toString()));
		assertThat(this.instances.hasSessions()).isTrue();
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		handle.onLost((reason) -> {
			told.set(reason);
			handle.close();
		});
		registry.close();
		assertThat(told).hasValue(LockLostReason.SHUTDOWN);
		assertThat(waiter.join()).isInstanceOf(IllegalStateException.class).hasMessage("Optional.empty");
		assertThat(this.instances.hasSessions()).isFalse();
		assertThat(this.instances.entries()).isEmpty();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(registry.obtain("a")::acquire)
			.withMessageContaining("closed");
	}

	@Test
	void listenersAreToldAndTheirExceptionsReachNoLock() {
		List<String> events = new CopyOnWriteArrayList<>();
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.listener(new LockListener() {
			@Override
			public void acquired(LockHandle handle, Duration waited) {
				throw new IllegalStateException("listener");
			}
		}).listener(new RecordingListener(events)));
		registry.obtain("a").acquire().close();
		assertThat(events).containsExactly("acquired", "released");
		LockHandle held = this.instances.start().obtain("b").acquire();
		assertThat(registry.obtain("b").tryAcquire(Duration.ofSeconds(2))).isEmpty();
		held.close();
		assertThat(events).containsExactly("acquired", "released", "waiting", "not acquired");
	}

	@Test
	void executeLockedRunsTheTaskUnderTheLock() throws Exception {
		ConsulLockRegistry registry = this.instances.start();
		String result = registry.executeLocked("a", LONG, () -> {
			assertThat(LockHandle.current().isHeld()).isTrue();
			assertThat(LockHandle.current().key()).endsWith("/a");
			return "done";
		});
		assertThat(result).isEqualTo("done");
		assertThatIllegalStateException().isThrownBy(LockHandle::current);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> registry.executeLocked("a", LONG, () -> {
			LockHandle handle = LockHandle.current();
			this.instances.destroySessionOf("a");
			await().until(() -> !handle.isHeld());
			throw new IllegalArgumentException("task");
		})).withCauseInstanceOf(IllegalArgumentException.class);
	}

	private static void runElsewhere(Runnable action) {
		AtomicReference<RuntimeException> failure = new AtomicReference<>();
		Thread thread = new Thread(() -> {
			try {
				action.run();
			}
			catch (RuntimeException ex) {
				failure.set(ex);
			}
		});
		thread.start();
		try {
			thread.join();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		if (failure.get() != null) {
			throw failure.get();
		}
	}

}
