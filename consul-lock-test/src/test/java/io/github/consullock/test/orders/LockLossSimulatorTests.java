package io.github.consullock.test.orders;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulReadWriteLock;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Locks are lost as they would be on Consul.
 */
@SpringBootTest
@LocalLocks
@Import(LockLossSimulatorTests.Registries.class)
class LockLossSimulatorTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	@Autowired
	private LockLossSimulator locks;

	@Autowired
	private Work work;

	@Autowired
	private ConsulLockRegistry registry;

	@Autowired
	private ConsulClient client;

	@Autowired
	@Qualifier("otherRegistry")
	private ConsulLockRegistry otherRegistry;

	@Autowired
	@Qualifier("foreignRegistry")
	private ConsulLockRegistry foreignRegistry;

	@AfterEach
	void nothingIsHeld() {
		assertThat(this.locks.heldKeys()).isEmpty();
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER", "SESSION_INVALIDATED" })
	void theMethodIsInterruptedAndItsCallerToldWhy(LockLostReason reason) throws Exception {
		CountDownLatch started = new CountDownLatch(1);
		CompletableFuture<Void> call = call(() -> this.work.endless(reason.name(), started));
		started.await();
		this.locks.lose("work/" + reason, reason);
		assertThat(lossOf(call)).hasCauseInstanceOf(InterruptedException.class)
			.extracting(LockLostException::reason)
			.isEqualTo(reason);
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER" })
	void theHolderItselfMayLoseItsLockAndTheKeyIsFreeThen(LockLostReason reason) throws Exception {
		CompletableFuture<Void> call = call(() -> this.work.run("own-" + reason, () -> {
			this.locks.lose("work/own-" + reason, reason);
			assertThat(LockHandle.current().isHeld()).isFalse();
			new CountDownLatch(1).await();
		}));
		assertThat(lossOf(call)).hasCauseInstanceOf(InterruptedException.class);
		assertThat(this.registry.obtain("work/own-" + reason).tryAcquire(AMPLE)).hasValueSatisfying(LockHandle::close);
	}

	@Test
	void anHttpCallUnderWayIsAborted() throws Exception {
		try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			HttpClient client = HttpClient.newHttpClient();
			HttpRequest request = HttpRequest
				.newBuilder(URI.create("http://localhost:" + silent.getLocalPort() + "/slow"))
				.build();
			CompletableFuture<Void> call = call(
					() -> this.work.run("http", () -> client.send(request, HttpResponse.BodyHandlers.discarding())));
			silent.accept();
			this.locks.lose("work/http");
			assertThat(lossOf(call)).hasCauseInstanceOf(InterruptedException.class);
		}
	}

	@Test
	void aKeyEndsOneHoldAndTheSessionAllOfARegistry() {
		LockHandle first = acquire(this.registry, "one/1");
		LockHandle second = acquire(this.registry, "one/2");
		LockHandle third = acquire(this.registry, "one/3");
		try (LockHandle other = acquire(this.otherRegistry, "one/4")) {
			this.locks.lose("one/1");
			assertThat(List.of(first, second, third, other)).extracting(LockHandle::isHeld)
				.containsExactly(false, true, true, true);
			this.locks.lose("one/2", LockLostReason.SESSION_INVALIDATED);
			assertThat(second.isHeld()).isFalse();
			Awaitility.await().atMost(AMPLE).until(() -> !third.isHeld());
			assertThat(other.isHeld()).isTrue();
		}
	}

	@Test
	void aLockOfAnotherRegistryIsLostByItsFullKey() {
		LockHandle handle = acquire(this.otherRegistry, "invoice");
		assertThat(this.locks.heldKeys()).containsExactly("others/invoice");
		this.locks.lose("others/invoice");
		assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::ensureHeld);
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER" })
	void aLockOverSeveralKeysIsLostByAnyOfThem(LockLostReason reason) {
		ConsulLock lock = this.registry.obtainAll(List.of("several/1", "several/2"));
		LockHandle handle = lock.tryAcquire(AMPLE).orElseThrow();
		assertThat(this.locks.heldKeys()).containsExactly("several/1", "several/2");
		this.locks.lose("several/2", reason);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::ensureHeld);
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER", "SESSION_INVALIDATED" })
	void aMethodWithALimitIsInterruptedAndTheOthersGoOn(LockLostReason reason) throws Exception {
		CountDownLatch started = new CountDownLatch(2);
		List<CompletableFuture<Void>> calls = List.of(call(() -> this.work.limited(reason.name(), started)),
				call(() -> this.work.limited(reason.name(), started)));
		started.await();
		this.locks.lose("limited/" + reason, reason);
		CompletableFuture.anyOf(calls.toArray(CompletableFuture[]::new)).handle((done, failure) -> done).join();
		CompletableFuture<Void> lost = calls.get(calls.get(0).isDone() ? 0 : 1);
		assertThat(lossOf(lost).reason()).isEqualTo(reason);
		assertThat(this.locks.heldKeys()).containsExactly("limited/" + reason);
		this.locks.lose("limited/" + reason);
		for (CompletableFuture<Void> call : calls) {
			assertThat(lossOf(call)).hasCauseInstanceOf(InterruptedException.class);
		}
	}

	@Test
	void aFutureIsCancelledAndItsCallerToldWhy() throws Exception {
		CountDownLatch started = new CountDownLatch(1);
		CompletableFuture<Void> end = new CompletableFuture<>();
		CompletableFuture<Void> result = this.work.later(started, end);
		started.await();
		assertThat(result).isNotDone();
		this.locks.lose("work/later");
		assertThat(lossOf(result).reason()).isEqualTo(LockLostReason.KEY_DELETED);
		assertThat(end).isCancelled();
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER" })
	void aLostPermitIsFreeAndLeavesNothingBehind(LockLostReason reason) {
		String key = "permit/" + reason;
		LockHandle permit = this.registry.semaphore(key, 1).tryAcquire(AMPLE).orElseThrow();
		try (LockHandle lock = acquire(this.registry, key + "/lock")) {
			this.locks.lose(key, reason);
			assertThatExceptionOfType(LockLostException.class).isThrownBy(permit::ensureHeld)
				.extracting(LockLostException::reason)
				.isEqualTo(reason);
			assertThat(lock.isHeld()).isTrue();
		}
		nothingIsBelow("locks/" + key);
		assertThat(this.registry.semaphore(key, 2).tryAcquire(AMPLE)).hasValueSatisfying(LockHandle::close);
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER" })
	void aReaderIsLostAndTheOthersKeepReading(LockLostReason reason) {
		String key = "doc/" + reason;
		ConsulReadWriteLock lock = this.registry.readWriteLock(key);
		LockHandle first = lock.readLock().tryAcquire(AMPLE).orElseThrow();
		LockHandle second = lock.readLock().tryAcquire(AMPLE).orElseThrow();
		this.locks.lose(key, reason);
		assertThat(List.of(first.isHeld(), second.isHeld())).containsExactlyInAnyOrder(true, false);
		LockHandle lost = first.isHeld() ? second : first;
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lost::ensureHeld)
			.extracting(LockLostException::reason)
			.isEqualTo(reason);
		this.locks.lose(key, reason);
		assertThat(lock.writeLock().tryAcquire(AMPLE)).hasValueSatisfying(LockHandle::close);
		nothingIsBelow("locks/" + key);
	}

	@ParameterizedTest
	@EnumSource(names = { "KEY_DELETED", "TAKEN_OVER", "SESSION_INVALIDATED" })
	void aWriterIsLost(LockLostReason reason) {
		LockHandle writer = this.otherRegistry.readWriteLock("page").writeLock().tryAcquire(AMPLE).orElseThrow();
		this.locks.lose("others/page", reason);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(writer::ensureHeld)
			.extracting(LockLostException::reason)
			.isEqualTo(reason);
	}

	private void nothingIsBelow(String prefix) {
		Awaitility.await()
			.atMost(AMPLE)
			.untilAsserted(() -> assertThat(this.client.list("")).extracting(KvEntry::key)
				.noneMatch((key) -> key.replace(".consul-lock/rw/", "").startsWith(prefix)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "keys/1", "locks/keys/1" })
	void aKeyIsFoundWithAndWithoutThePrefix(String key) {
		try (LockHandle handle = acquire(this.registry, "keys/1"); LockHandle other = acquire(this.registry, "1")) {
			assertThat(this.locks.awaitHeld(key, AMPLE)).isSameAs(handle).isNotSameAs(other);
			assertThat(this.locks.heldKeys()).containsExactly("1", "keys/1");
		}
	}

	@Test
	void aKeyThatNobodyHoldsYetIsWaitedFor() throws Exception {
		CompletableFuture<LockHandle> awaited = new CompletableFuture<>();
		Thread waiter = new Thread(() -> awaited.complete(this.locks.awaitHeld("late", AMPLE)));
		waiter.start();
		Awaitility.await().atMost(AMPLE).until(() -> waiter.getState() == Thread.State.TIMED_WAITING);
		try (LockHandle handle = acquire(this.registry, "late")) {
			assertThat(awaited.get(1, TimeUnit.MINUTES)).isSameAs(handle);
		}
	}

	@Test
	void aKeyThatNobodyHoldsIsAnErrorThatNamesThoseHeld() {
		try (LockHandle handle = acquire(this.registry, "orders/42")) {
			assertThatThrownBy(() -> this.locks.awaitHeld("order/42", Duration.ofMillis(20)))
				.isInstanceOf(AssertionError.class)
				.hasMessageContainingAll("'order/42'", "20 ms", "[orders/42]", "'locks/'");
			assertThat(handle.isHeld()).isTrue();
		}
	}

	@Test
	void anInterruptEndsTheWaitForAKey() {
		Thread.currentThread().interrupt();
		assertThatThrownBy(() -> this.locks.lose("nobody")).isInstanceOf(AssertionError.class)
			.hasMessageContainingAll("Interrupted", "nobody");
		assertThat(Thread.interrupted()).isTrue();
	}

	@ParameterizedTest
	@EnumSource(names = { "MAX_HOLD_EXCEEDED", "SHUTDOWN" })
	void whatNothingInConsulLeadsToIsRefused(LockLostReason reason) {
		try (LockHandle handle = acquire(this.registry, "refused")) {
			assertThatIllegalArgumentException().isThrownBy(() -> this.locks.lose("refused", reason))
				.withMessageContaining(reason.name());
			assertThat(handle.isHeld()).isTrue();
		}
	}

	@Test
	void aLockInAnotherConsulIsAnErrorThatSaysSo() {
		try (LockHandle handle = acquire(this.foreignRegistry, "far")) {
			assertThatThrownBy(() -> this.locks.lose("far")).isInstanceOf(AssertionError.class)
				.hasMessageContainingAll("'locks/far'", "another ConsulClient");
			assertThat(handle.isHeld()).isTrue();
		}
	}

	@Test
	void anOutageKeepsLocksFromBeingAcquiredAndEndsWithItsWork() throws Exception {
		try (LockHandle handle = acquire(this.registry, "outage-1")) {
			this.locks.duringOutage(() -> assertThatExceptionOfType(ConsulUnavailableException.class)
				.isThrownBy(() -> this.work.impatient("outage-2")));
			assertThat(handle.isHeld()).isTrue();
		}
		assertThat(this.registry.obtain("outage-2").tryAcquire(AMPLE)).hasValueSatisfying(LockHandle::close);
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> this.locks.duringOutage(() -> {
			throw new IOException("of the work");
		}));
		assertThat(this.registry.obtain("outage-2").tryAcquire(AMPLE)).hasValueSatisfying(LockHandle::close);
	}

	private static LockHandle acquire(ConsulLockRegistry registry, String key) {
		return registry.obtain(key).tryAcquire(AMPLE).orElseThrow();
	}

	private static CompletableFuture<Void> call(Body body) {
		CompletableFuture<Void> result = new CompletableFuture<>();
		new Thread(() -> {
			try {
				body.run();
				result.complete(null);
			}
			catch (Exception ex) {
				result.completeExceptionally(ex);
			}
		}).start();
		return result;
	}

	private static LockLostException lossOf(CompletableFuture<Void> call) throws Exception {
		try {
			call.get(1, TimeUnit.MINUTES);
		}
		catch (ExecutionException ex) {
			assertThat(ex.getCause()).isInstanceOf(LockLostException.class);
			return (LockLostException) ex.getCause();
		}
		throw new AssertionError("The call ended as if nothing had happened");
	}

	/**
	 * What may throw.
	 */
	@FunctionalInterface
	interface Body {

		void run() throws Exception;

	}

	static class Work {

		@DistributedLock("work/#{#name}")
		void endless(String name, CountDownLatch started) throws InterruptedException {
			started.countDown();
			new CountDownLatch(1).await();
		}

		@DistributedLock(key = "limited/#{#name}", limit = 2)
		void limited(String name, CountDownLatch started) throws InterruptedException {
			started.countDown();
			new CountDownLatch(1).await();
		}

		@DistributedLock("work/later")
		CompletableFuture<Void> later(CountDownLatch started, CompletableFuture<Void> end) {
			started.countDown();
			return end;
		}

		@DistributedLock(key = "#{#key}", waitTime = "1s")
		void impatient(String key) {
		}

		@DistributedLock("work/#{#name}")
		void run(String name, Body body) throws Exception {
			body.run();
		}

	}

	@TestConfiguration(proxyBeanMethods = false)
	static class Registries {

		@Bean
		Work work() {
			return new Work();
		}

		@Bean(defaultCandidate = false)
		@Qualifier("otherRegistry")
		ConsulLockRegistry otherRegistry(ConsulClient client) {
			return ConsulLockRegistry.builder(client).keyPrefix("others/").build();
		}

		@Bean(defaultCandidate = false)
		@Qualifier("foreignRegistry")
		ConsulLockRegistry foreignRegistry() {
			return ConsulLockRegistry.builder(new InMemoryConsulClient()).build();
		}

	}

}
