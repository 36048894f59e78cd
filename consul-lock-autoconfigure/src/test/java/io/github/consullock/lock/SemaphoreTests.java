package io.github.consullock.lock;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.FaultyProxy;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockConflictException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockHolder;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
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

@ConsulTest
class SemaphoreTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration WATCHED_AFTER = Duration.ofMillis(250);

	private Instances instances;

	private ConsulServer consul;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul;
		this.instances = new Instances(consul.httpUri(), prefix.value());
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void asManyHoldPermitsAsTheLimitSaysInOneInstanceAndInSeveral() {
		ConsulSemaphore here = this.instances.start().semaphore("a", 3);
		ConsulSemaphore there = Instances.warmUp(this.instances.start(), 2).semaphore("a", 3);
		assertThat(here.limit()).isEqualTo(3);
		assertThat(here.key()).isEqualTo(this.instances.prefix() + "a");
		LockHandle one = here.acquire();
		LockHandle two = here.acquire();
		LockHandle three = there.acquire();
		assertThat(List.of(one.fencingToken(), two.fencingToken(), three.fencingToken())).isSorted()
			.doesNotHaveDuplicates();
		assertThat(List.of(one.key(), three.key())).containsOnly(here.key());
		assertThat(here.tryAcquire(Duration.ZERO)).isEmpty();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> there.acquire(Duration.ofMillis(50)))
			.withMessageContaining("semaphore")
			.withMessageContaining("one of them by");
		assertThat(two.release()).isTrue();
		LockHandle four = there.acquire(Duration.ZERO);
		assertThat(four.fencingToken()).isGreaterThan(three.fencingToken());
		for (LockHandle handle : List.of(one, three, four)) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(handle.release()).isTrue();
		}
		assertThat(below("a")).isEmpty();
	}

	@Test
	void theExampleOfTheDocumentation() {
		ConsulLockRegistry registry = this.instances.start();
		List<Long> calls = new ArrayList<>();
		Remote client = calls::add;
		// tag::semaphore[]
		ConsulSemaphore pool = registry.semaphore("crm-connections", 3);
		try (LockHandle permit = pool.acquire(Duration.ofSeconds(10))) {
			client.call(permit.fencingToken());
		}
		// end::semaphore[]
		assertThat(calls).singleElement().satisfies((token) -> assertThat(token).isPositive());
		assertThat(pool.holders()).isEmpty();
	}

	private interface Remote {

		void call(long token);

	}

	@Test
	void theEntriesAreThoseOfTheGoClient() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle permit = registry.semaphore(LockOptions.builder("a").value("worker 7").build(), 2).acquire();
		List<KvEntry> entries = below("a");
		assertThat(entries).extracting((entry) -> Long.toUnsignedString(entry.flags()))
			.containsOnly("16210313421097356768");
		KvEntry state = this.instances.entry("a/.lock");
		KvEntry holder = entries.stream().filter((entry) -> !entry.equals(state)).findFirst().orElseThrow();
		assertThat(state.session()).isNull();
		assertThat(state.value()).isEqualTo("{\"Limit\":2,\"Holders\":{\"" + holder.session() + "\":true}}");
		assertThat(holder.key()).isEqualTo(permit.key() + "/" + holder.session());
		assertThat(holder.value()).isEqualTo("worker 7");
		assertThat(holder.modifyIndex()).isEqualTo(permit.fencingToken());
		assertThat(permit.release()).isTrue();
	}

	@Test
	void holdersAreThoseWhoHoldPermits() {
		ConsulSemaphore semaphore = this.instances.start((builder) -> builder.instanceName("one")).semaphore("a", 3);
		assertThat(semaphore.holders()).isEmpty();
		LockHandle first = semaphore.acquire();
		LockHandle second = this.instances.start((builder) -> builder.instanceName("two")).semaphore("a", 3).acquire();
		assertThat(semaphore.holders()).extracting(LockHolder::instance).containsExactlyInAnyOrder("one", "two");
		assertThat(semaphore.holders()).extracting(LockHolder::session).doesNotHaveDuplicates();
		first.close();
		assertThat(semaphore.holders()).extracting(LockHolder::instance).containsExactly("two");
		second.close();
	}

	@Test
	void anUncontendedAcquireIsTwoRequestsAndAReleaseOneWhoeverElseHoldsAPermit() throws IOException {
		try (FaultyProxy proxy = new FaultyProxy(this.consul.httpUri())) {
			ConsulLockRegistry registry = this.instances.start(proxy.uri(), (builder) -> builder);
			registry.semaphore("warm-up", 1).acquire().close();
			await().until(() -> proxy.requests().stream().anyMatch((request) -> request.path().contains("queues")));
			LockHandle other = this.instances.start().semaphore("held", 2).acquire();
			int quick = 0;
			for (int i = 0; i < 100 && quick < 6; i++) {
				int before = proxy.requests().size();
				long start = System.nanoTime();
				registry.semaphore((i % 2 == 0) ? "held" : "free", 2).acquire().close();
				// A hold that lasts is watched.
				if (System.nanoTime() - start < WATCHED_AFTER.toNanos()) {
					quick++;
					assertThat(proxy.requests().stream().skip(before).filter((request) -> !isOfSession(request)))
						.extracting(Request::method)
						.containsExactly("GET", "PUT", "PUT");
				}
			}
			assertThat(quick).isEqualTo(6);
			assertThat(other.release()).isTrue();
		}
	}

	private static boolean isOfSession(Request request) {
		return request.path().startsWith("/v1/session/");
	}

	@Test
	void noMoreThanTheLimitAreInsideAtOnceAndNothingIsLeftBehind() throws Exception {
		int limit = 3;
		List<ConsulLockRegistry> registries = List.of(this.instances.start(), this.instances.start(),
				this.instances.start());
		AtomicInteger inside = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		AtomicInteger unordered = new AtomicInteger();
		Set<Long> tokens = ConcurrentHashMap.newKeySet();
		ExecutorService threads = Executors.newFixedThreadPool(18);
		try {
			List<Future<?>> all = new ArrayList<>();
			for (int i = 0; i < 18; i++) {
				ConsulSemaphore semaphore = registries.get(i % 3).semaphore("a", limit);
				all.add(threads.submit(() -> {
					long last = 0;
					for (int round = 0; round < 25; round++) {
						try (LockHandle permit = semaphore.acquire(LONG)) {
							int now = inside.incrementAndGet();
							most.accumulateAndGet(now, Math::max);
							permit.ensureHeld();
							tokens.add(permit.fencingToken());
							if (permit.fencingToken() <= last) {
								unordered.incrementAndGet();
							}
							last = permit.fencingToken();
							if (round % 5 == 0) {
								// Long enough for others to be seen.
								TimeUnit.MILLISECONDS.sleep(2);
							}
							inside.decrementAndGet();
						}
					}
					return null;
				}));
			}
			for (Future<?> future : all) {
				future.get(8, TimeUnit.MINUTES);
			}
		}
		finally {
			threads.shutdownNow();
		}
		assertThat(most.get()).isBetween(2, limit);
		assertThat(unordered).hasValue(0);
		assertThat(tokens).hasSize(18 * 25);
		await().untilAsserted(() -> assertThat(below("a")).isEmpty());
		for (ConsulLockRegistry registry : registries) {
			assertThat(registry.heldLocks()).isEmpty();
			assertThat(((DefaultLockRegistry) registry).trackedKeys()).isZero();
			registry.close();
		}
		assertThat(this.instances.hasSessions()).isFalse();
		assertThat(this.instances.entries()).isEmpty();
	}

	@Test
	void threadsOfOneInstanceThatTryAtOnceDoNotStandInEachOthersWay() throws Exception {
		HookedClient client = new HookedClient(new PatientClient(this.consul.httpUri()));
		ConsulLockRegistry registry = Instances.warmUp(this.instances.start(client, (builder) -> builder), 2);
		ConsulSemaphore semaphore = registry.semaphore("a", 2);
		CountDownLatch trying = new CountDownLatch(1);
		AtomicReference<Thread> second = new AtomicReference<>();
		client.before(HookedClient.ACQUIRE, () -> {
			trying.countDown();
			await().until(() -> second.get() != null && second.get().getState() != Thread.State.RUNNABLE
					&& second.get().getState() != Thread.State.NEW);
		});
		CompletableFuture<LockHandle> first = CompletableFuture
			.supplyAsync(() -> semaphore.tryAcquire(Duration.ZERO).orElseThrow());
		trying.await();
		CompletableFuture<LockHandle> other = new CompletableFuture<>();
		Thread thread = new Thread(() -> other.complete(semaphore.tryAcquire(Duration.ZERO).orElse(null)));
		thread.start();
		second.set(thread);
		assertThat(first.join().isHeld()).isTrue();
		assertThat(other.join()).isNotNull();
		assertThat(semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		first.join().close();
		other.join().close();
	}

	@Test
	void whoOnlyTriesDoesNotQueueUpBehindOneWhoWaits() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulSemaphore semaphore = registry.semaphore("a", 1);
		LockHandle held = semaphore.acquire();
		CompletableFuture<LockHandle> waiting = semaphore.acquireAsync();
		CompletableFuture<LockHandle> behind = semaphore.acquireAsync();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> semaphore.acquire(Duration.ZERO))
			.withMessageContaining("one of them by");
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> semaphore.acquire(Duration.ofMillis(50)))
			.withMessageContaining("others of this JVM");
		assertThat(held.release()).isTrue();
		assertThat(waiting.join().release()).isTrue();
		assertThat(behind.join().release()).isTrue();
	}

	@Test
	void aPermitThatIsHandedToOneWhoHasJustLeftIsThereForTheNextTry() throws Exception {
		HookedClient client = new HookedClient(new PatientClient(this.consul.httpUri()));
		ConsulSemaphore semaphore = Instances.warmUp(this.instances.start(client, (builder) -> builder), 1)
			.semaphore("a", 1);
		LockHandle held = this.instances.start().semaphore("a", 1).acquire();
		CountDownLatch released = new CountDownLatch(1);
		CompletableFuture<LockHandle> tried = new CompletableFuture<>();
		client.before((operations) -> operations.stream()
			.anyMatch((operation) -> operation.verb() == KvOperation.Verb.DELETE), () -> {
				held.release();
				released.countDown();
				// Where it waits for this, not at all.
				tried.handle((handle, ex) -> null).completeOnTimeout(null, 300, TimeUnit.MILLISECONDS).join();
			});
		assertThat(semaphore.tryAcquire(Duration.ofMillis(50))).isEmpty();
		released.await();
		try {
			tried.complete(semaphore.acquire(Duration.ZERO));
		}
		catch (LockNotAcquiredException ex) {
			tried.completeExceptionally(ex);
		}
		assertThat(tried).isCompleted();
		assertThat(tried.join().release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void aReleaseMindsWhoHasComeSince() {
		ConsulSemaphore here = this.instances.start().semaphore("a", 2);
		ConsulSemaphore there = this.instances.start().semaphore("a", 2);
		for (int i = 0; i < 5; i++) {
			LockHandle first = here.acquire();
			LockHandle second = there.acquire();
			// Mostly before it is told of the other.
			assertThat(first.release()).isTrue();
			assertThat(here.holders()).extracting(LockHolder::session).containsExactly(entryOf(second).session());
			assertThat(second.release()).isTrue();
		}
		assertThat(below("a")).isEmpty();
	}

	@Test
	void aCancelledWaitLeavesNothing() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulSemaphore semaphore = registry.semaphore("a", 1);
		LockHandle held = this.instances.start().semaphore("a", 1).acquire();
		CompletableFuture<LockHandle> waiting = semaphore.acquireAsync();
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() >= 2);
		waiting.cancel(false);
		assertThatExceptionOfType(CancellationException.class).isThrownBy(waiting::join);
		await().until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
		assertThat(held.release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void aPermitIsLostWithTheStateTheEntryOrItsPlaceAndTheRestOfItGoesToo() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		LockHandle other = this.instances.start().semaphore("a", 2).acquire();
		LockHandle permit = semaphore.acquire();
		delete(entryOf(permit).key());
		assertThat(awaitLoss(permit)).isEqualTo(LockLostReason.KEY_DELETED);
		await().untilAsserted(() -> assertThat(below("a")).hasSize(2));
		LockHandle next = semaphore.acquire();
		write("a/.lock", "{\"Limit\":2,\"Holders\":{\"" + entryOf(other).session() + "\":true}}");
		assertThat(awaitLoss(next)).isEqualTo(LockLostReason.TAKEN_OVER);
		await().untilAsserted(() -> assertThat(below("a")).hasSize(2));
		assertThat(other.isHeld()).isTrue();
		LockHandle last = semaphore.acquire();
		delete(semaphore.key() + "/.lock");
		assertThat(awaitLoss(last)).isEqualTo(LockLostReason.KEY_DELETED);
		assertThat(awaitLoss(other)).isEqualTo(LockLostReason.KEY_DELETED);
		await().untilAsserted(() -> assertThat(below("a")).isEmpty());
		assertThat(last.release()).isFalse();
	}

	@Test
	void aLossIsNoticedWithoutAWatchOfItsOwn() {
		ConsulLockRegistry registry = this.instances.start((builder) -> builder.maxWatches(1));
		List<LockHandle> permits = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			permits.add(registry.semaphore("a", 9).acquire());
		}
		permits.forEach((permit) -> delete(entryOf(permit).key()));
		permits.forEach((permit) -> assertThat(awaitLoss(permit)).isEqualTo(LockLostReason.KEY_DELETED));
		await().untilAsserted(() -> assertThat(below("a")).isEmpty());
	}

	@Test
	void thePlaceOfADeadHolderIsTakenAfterLockDelay() {
		ConsulSemaphore semaphore = this.instances.start((builder) -> builder.session(Instances.SAFE))
			.semaphore("a", 2);
		ConsulSemaphore other = this.instances.start((builder) -> builder.session(Instances.SAFE)).semaphore("a", 2);
		LockHandle dead = semaphore.acquire();
		LockHandle living = other.acquire();
		CompletableFuture<LockHandle> waiting = other.acquireAsync(LONG);
		long before = System.nanoTime();
		this.instances.observer.destroySession(entryOf(dead).session());
		assertThat(awaitLoss(dead)).isEqualTo(LockLostReason.SESSION_INVALIDATED);
		LockHandle next = waiting.join();
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Instances.SAFE.lockDelay());
		assertThat(living.release()).isTrue();
		assertThat(next.release()).isTrue();
		assertThat(below("a")).isEmpty();
	}

	@Test
	void anotherLimitIsAConflictUntilNobodyHoldsAPermit() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle permit = registry.semaphore("a", 1).acquire();
		CompletableFuture<LockHandle> waiting = registry.semaphore("a", 1).acquireAsync();
		for (int limit : new int[] { 2, 7 }) {
			assertThatExceptionOfType(LockConflictException.class)
				.isThrownBy(() -> this.instances.start().semaphore("a", limit).acquire())
				.withMessageContaining("limit of 1 ")
				.withMessageContaining("limit of " + limit);
		}
		assertThat(permit.release()).isTrue();
		assertThat(waiting.join().release()).isTrue();
		assertThat(registry.semaphore("a", 2).acquire().release()).isTrue();
	}

	@Test
	void aStateThatIsKeptKeepsItsLimitUntilItIsDestroyed() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulSemaphore keeping = registry.semaphore(LockOptions.builder("a").deleteOnRelease(false).build(), 2);
		LockHandle first = keeping.acquire();
		assertThat(keeping.acquire().release()).isTrue();
		assertThat(first.release()).isTrue();
		assertThat(below("a")).extracting(KvEntry::value).containsExactly("{\"Limit\":2,\"Holders\":{}}");
		assertThat(keeping.acquire().release()).isTrue();
		ConsulSemaphore three = registry.semaphore("a", 3);
		assertThatExceptionOfType(LockConflictException.class).isThrownBy(three::acquire);
		three.destroy();
		assertThat(below("a")).isEmpty();
		assertThat(three.acquire().release()).isTrue();
	}

	@Test
	void whatIsNoSemaphoreIsNotOverwritten() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		for (String value : List.of("{}", "nonsense", "[1]", "{\"Limit\":\"2\"}", "{\"Limit\":2,\"Holders\":7}")) {
			write("a/.lock", value);
			assertThatExceptionOfType(LockConflictException.class).isThrownBy(semaphore::acquire)
				.withMessageContaining("a/.lock");
			assertThatExceptionOfType(LockConflictException.class).isThrownBy(semaphore::destroy);
			assertThat(this.instances.entry("a/.lock").value()).isEqualTo(value);
		}
		write("a/.lock", "{\"Limit\":2,\"Holders\":null}");
		assertThat(semaphore.acquire().release()).isTrue();
	}

	@Test
	void whatCannotBeASemaphoreIsRefused() {
		ConsulLockRegistry registry = this.instances.start();
		assertThatIllegalArgumentException().isThrownBy(() -> registry.semaphore("a", -1)).withMessageContaining("-1");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> registry.semaphore(LockOptions.builder(List.of("a", "b")).build(), 2))
			.withMessageContaining("[a, b]");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> registry.semaphore(LockOptions.builder("a").session("mine").build(), 2))
			.withMessageContaining("mine");
	}

	@Test
	void aGuardedWriteNeedsThePermitAndMindsNoOtherHolder() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 3);
		LockHandle permit = semaphore.acquire();
		String target = "guarded/" + this.instances.prefix() + "x";
		for (int i = 0; i < 3; i++) {
			ConsulSemaphore other = this.instances.start().semaphore("a", 3);
			LockHandle coming = other.acquire();
			permit.guardedPut(target, "by " + i);
			coming.close();
			permit.guardedPut(target, "and " + i);
		}
		// Not watched yet, mostly.
		LockHandle lost = semaphore.acquire();
		delete(entryOf(lost).key());
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> lost.guardedPut(target, "late"));
		assertThat(this.instances.observer.read(target, LONG).orElseThrow().value()).isEqualTo("and 2");
		assertThat(permit.release()).isTrue();
		delete(target);
	}

	@Test
	void aPermitIsHeldAtMostAndAtLeastAsLongAsIsSaid() {
		ConsulLockRegistry registry = this.instances.start();
		LockHandle brief = registry.semaphore(LockOptions.builder("a").maxHold(Duration.ofMillis(50)).build(), 1)
			.acquire();
		assertThat(awaitLoss(brief)).isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED);
		brief.close();
		LockHandle kept = registry.semaphore(LockOptions.builder("b").holdAtLeast(LONG).build(), 1).acquire();
		assertThat(kept.release()).isTrue();
		assertThat(this.instances.start().semaphore("b", 1).tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(registry.semaphore("b", 1).tryAcquire(Duration.ZERO)).isEmpty();
		registry.close();
		assertThat(below("b")).isEmpty();
	}

	@Test
	void aRegistryThatClosesGivesEverythingBack() {
		ConsulLockRegistry registry = this.instances.start();
		ConsulSemaphore semaphore = registry.semaphore("a", 2);
		List<LockHandle> permits = List.of(semaphore.acquire(), semaphore.acquire());
		permits.forEach((permit) -> permit.onLost((reason) -> permit.close()));
		CompletableFuture<LockHandle> waiting = semaphore.acquireAsync();
		assertThat(registry.heldLocks()).hasSize(2);
		registry.close();
		assertThat(waiting).isCompletedExceptionally();
		permits.forEach((permit) -> assertThat(awaitLoss(permit)).isEqualTo(LockLostReason.SHUTDOWN));
		assertThat(this.instances.hasSessions()).isFalse();
		assertThat(this.instances.entries()).isEmpty();
	}

	@Test
	void aSessionServesOnePermitAfterAnother() {
		ConsulSemaphore semaphore = this.instances.start().semaphore("a", 2);
		LockHandle first = semaphore.acquire();
		String session = entryOf(first).session();
		assertThat(first.release()).isTrue();
		LockHandle second = semaphore.acquire();
		assertThat(entryOf(second).session()).isEqualTo(session);
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(first.release()).isTrue();
		assertThat(second.isHeld()).isTrue();
		assertThatExceptionOfType(LockInUseException.class).isThrownBy(semaphore::destroy);
		assertThat(second.release()).isTrue();
	}

	private List<KvEntry> below(String key) {
		return this.instances.observer.list(this.instances.prefix() + key + "/");
	}

	/** The one that its session holds. */
	private KvEntry entryOf(LockHandle permit) {
		return this.instances.observer.list(permit.key() + "/")
			.stream()
			.filter((entry) -> entry.modifyIndex() == permit.fencingToken() && entry.session() != null)
			.findFirst()
			.orElseThrow();
	}

	private static LockLostReason awaitLoss(LockHandle permit) {
		AtomicReference<LockLostReason> told = new AtomicReference<>();
		permit.onLost(told::set);
		await().until(() -> told.get() != null);
		return told.get();
	}

	private void delete(String key) {
		this.instances.observer.transact(List.of(KvOperation.delete(key)), LONG);
	}

	private void write(String key, String value) {
		this.instances.observer
			.transact(List.of(KvOperation.set(this.instances.prefix() + key, value, LockFlags.SEMAPHORE)), LONG);
	}

}
