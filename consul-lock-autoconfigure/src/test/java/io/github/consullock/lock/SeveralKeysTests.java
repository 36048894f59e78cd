package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.TransactionTooLargeException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * One lock over several keys.
 */
@SuppressWarnings("LockNotBeforeTry") // Locks are what is tested here.
class SeveralKeysTests extends HookedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void allAreHeldWithOneTokenAndReleasedTogetherByOneRequestEach() {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		int before = this.client.transactions();
		LockHandle handle = registry.obtainAll(List.of("b", "a", "c")).acquire();
		assertThat(handle.keys()).containsExactly(full("a"), full("b"), full("c"));
		assertThat(handle.key()).isEqualTo(full("a"));
		for (String key : List.of("a", "b", "c")) {
			assertThat(this.instances.entry(key).modifyIndex()).isEqualTo(handle.fencingToken());
			assertThat(registry.obtain(key).isLocked()).isTrue();
		}
		assertThat(handle.release()).isTrue();
		assertThat(this.client.transactions()).isEqualTo(before + 2);
		assertThat(List.of("a", "b", "c")).allMatch((key) -> this.instances.entry(key) == null);
		assertThat(((DefaultLockRegistry) registry).trackedKeys()).isZero();
	}

	@Test
	void noneIsHeldWhileOneIsHeldByAnother() {
		LockHandle held = this.instances.start().obtain("b").acquire();
		ConsulLockRegistry registry = Instances.warmUp(hooked());
		ConsulLock all = registry.obtainAll(List.of("a", "b", "c"));
		assertThat(all.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(this.instances.entry("a")).isNull();
		CompletableFuture<LockHandle> waiting = all.acquireAsync(LONG);
		await().until(() -> this.events.contains("waiting"));
		assertThat(this.instances.entry("c")).isNull();
		assertThat(all.holder().orElseThrow().session()).isEqualTo(this.instances.entry("b").session());
		held.close();
		LockHandle handle = waiting.join();
		assertThat(handle.isHeld()).isTrue();
		handle.close();
	}

	@Test
	void whoeverHoldsOneKeepsOutWhoWantsAllInTheSameProcessToo() {
		ConsulLockRegistry registry = hooked();
		LockHandle one = registry.obtain("b").acquire();
		ConsulLock all = registry.obtainAll(List.of("a", "b"));
		CompletableFuture<LockHandle> waiting = all.acquireAsync(LONG);
		await().until(() -> this.events.contains("waiting"));
		one.close();
		LockHandle handle = waiting.join();
		// Not handed on by itself: the other key is wanted, too.
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(this.instances.entry("b").modifyIndex());
		CompletableFuture<LockHandle> next = registry.obtain("a").acquireAsync(LONG);
		handle.close();
		next.join().close();
	}

	@Test
	void noOrderOfKeysLeadsToADeadlockAndNoTwoHoldAKey() throws Exception {
		List<ConsulLockRegistry> registries = List.of(this.instances.start(), this.instances.start());
		List<AtomicInteger> holders = IntStream.range(0, 4).mapToObj((i) -> new AtomicInteger()).toList();
		List<Throwable> failures = new CopyOnWriteArrayList<>();
		List<Thread> threads = new ArrayList<>();
		for (int t = 0; t < 6; t++) {
			List<Integer> wanted = new ArrayList<>(
					List.of(t % 4, (t + 1) % 4, (t * 3 + 2) % 4).stream().distinct().toList());
			Collections.rotate(wanted, t);
			ConsulLockRegistry registry = registries.get(t % 2);
			threads.add(new Thread(() -> {
				try {
					for (int i = 0; i < 8; i++) {
						hold(registry, wanted, holders);
					}
				}
				catch (Throwable ex) {
					failures.add(ex);
				}
			}));
		}
		threads.forEach(Thread::start);
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(failures).isEmpty();
	}

	private static void hold(ConsulLockRegistry registry, List<Integer> wanted, List<AtomicInteger> holders) {
		List<String> keys = wanted.stream().map((key) -> "k" + key).toList();
		try (LockHandle handle = registry.obtainAll(keys).acquire(LONG)) {
			wanted.forEach((key) -> assertThat(holders.get(key).incrementAndGet()).isEqualTo(1));
			assertThat(handle.isHeld()).isTrue();
			wanted.forEach((key) -> holders.get(key).decrementAndGet());
		}
	}

	@Test
	void theLossOfOneKeyLosesTheLockAndFreesTheOthers() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtainAll(List.of("a", "b")).acquire();
		List<LockLostReason> told = new CopyOnWriteArrayList<>();
		handle.onLost(told::add);
		this.instances.request("DELETE", "/v1/kv/" + full("b"), "");
		await().until(() -> !told.isEmpty());
		assertThat(told).containsExactly(LockLostReason.KEY_DELETED);
		assertThat(handle.isHeld()).isFalse();
		await().until(() -> this.instances.entry("a") == null);
		assertThat(handle.release()).isFalse();
		registry.obtainAll(List.of("a", "b")).acquire(LONG).close();
	}

	@Test
	void aReleaseThatFindsOneKeyTakenAwayFreesTheOthers() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtainAll(List.of("a", "b")).acquire();
		this.client.before(HookedClient.RELEASE, () -> this.instances.request("DELETE", "/v1/kv/" + full("b"), ""));
		assertThat(handle.release()).isFalse();
		await().until(() -> this.instances.entry("a") == null);
	}

	@Test
	void aWriteBySomebodyElseToOneKeyLosesNothing() {
		ConsulLockRegistry registry = hooked();
		LockHandle handle = registry.obtainAll(List.of("a", "b")).acquire();
		this.instances.request("PUT", "/v1/kv/" + full("b") + "?flags=" + LockFlags.LOCK, "note");
		assertThat(handle.release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
		assertThat(this.instances.entry("b")).isNull();
	}

	@Test
	void anAcquisitionWhoseAnswerIsLostIsFoundToBeOurs() {
		ConsulLockRegistry registry = hooked();
		Instances.warmUp(registry);
		this.client.after(HookedClient.ACQUIRE, () -> {
			throw new ConsulUnavailableException("lost by the test");
		});
		LockHandle handle = registry.obtainAll(List.of("a", "b")).acquire();
		assertThat(this.client.isDone()).isTrue();
		assertThat(handle.fencingToken()).isEqualTo(this.instances.entry("a").modifyIndex());
		assertThat(handle.release()).isTrue();
		assertThat(this.instances.entry("b")).isNull();
	}

	@Test
	void asManyAsATransactionTakesAreHeldAndMoreAreRefusedWithTheNumber() {
		ConsulLockRegistry registry = this.instances.start();
		int most = mostKeys();
		List<String> keys = keys(most);
		try (LockHandle handle = registry.obtainAll(keys).acquire()) {
			assertThat(handle.keys()).hasSize(most);
			assertThat(registry.obtainAll(keys).tryAcquire(Duration.ZERO)).isEmpty();
		}
		List<String> more = keys(most + 1);
		if (most < LockOptions.MAX_KEYS) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> registry.obtainAll(more).acquire())
				.withMessageContaining("which takes 31");
		}
		List<String> tooMany = keys(64);
		assertThatIllegalArgumentException().isThrownBy(() -> registry.obtainAll(tooMany)).withMessageContaining("63");
		assertThat(this.instances.entries()).allMatch((entry) -> entry.key().contains(LockOptions.RESERVED_SEGMENT));
	}

	/** 31 before Consul 1.14, 63 since. */
	private int mostKeys() {
		List<KvOperation> operations = keys(129).stream().map(KvOperation::checkNotExists).toList();
		TransactionTooLargeException refusal = catchThrowableOfType(TransactionTooLargeException.class,
				() -> this.instances.observer.transact(operations, LONG));
		return (refusal.maxOperations() == 64) ? 31 : 63;
	}

	private static List<String> keys(int number) {
		return IntStream.range(0, number).mapToObj((i) -> "k" + i).toList();
	}

	@Test
	void keysThatAreNoneOrGivenTwiceAreRefused() {
		ConsulLockRegistry registry = this.instances.start();
		assertThatIllegalArgumentException().isThrownBy(() -> registry.obtainAll(List.of()));
		assertThatIllegalArgumentException().isThrownBy(() -> registry.obtainAll(List.of("a", "a")))
			.withMessageContaining("twice");
		assertThatIllegalArgumentException().isThrownBy(() -> registry.obtainAll(List.of("a", "b//c")));
	}

	@Test
	void anEntryThatIsNoLocksIsAConflictAndNothingIsHeld() {
		this.instances.request("PUT", "/v1/kv/" + full("b"), "something else");
		ConsulLockRegistry registry = this.instances.start();
		assertThatExceptionOfType(LockConflictException.class)
			.isThrownBy(() -> registry.obtainAll(List.of("a", "b")).acquire());
		KvEntry other = this.instances.entry("b");
		assertThat(other.value()).isEqualTo("something else");
		assertThat(this.instances.entry("a")).isNull();
	}

	@Test
	void asALockItIsReentrantAndStrangeToTheLocksOfItsKeys() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulLock all = registry.obtainAll(List.of("a", "b"));
		all.lock();
		registry.obtainAll(List.of("b", "a")).lock();
		assertThat(registry.obtain("a").tryLock()).isFalse();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> all.acquire(Duration.ZERO))
			.withMessageContaining("this very thread");
		all.unlock();
		assertThat(all.isLocked()).isTrue();
		all.unlock();
		assertThat(all.isLocked()).isFalse();
	}

	private String full(String key) {
		return this.instances.prefix() + key;
	}

}
