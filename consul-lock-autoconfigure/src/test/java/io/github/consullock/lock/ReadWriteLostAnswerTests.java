package io.github.consullock.lock;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.FaultyProxy.Fault;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockHandle;
import io.github.consullock.consul.KvEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Answers that are lost, and copies that arrive late, at each step to a read-write lock:
 * owned and reported, or gone.
 */
@SuppressWarnings("LockNotBeforeTry") // Locks are what is tested here.
class ReadWriteLostAnswerTests extends ProxiedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** The first attempt, made without a look. */
	private static final Predicate<Request> ACQUIRE = (request) -> isAboutMember(request)
			&& times(request, "check-not-exists") == 2 && request.contains("lock");

	private static final Predicate<Request> QUEUE_UP = (request) -> isAboutMember(request)
			&& times(request, "check-not-exists") == 1 && request.contains("lock");

	private static final Predicate<Request> ENTER = (request) -> isAboutMember(request) && request.contains("unlock")
			&& request.contains("lock");

	private static final Predicate<Request> LEAVE = (request) -> isAboutMember(request)
			&& request.contains("delete-cas");

	private ConsulReadWriteLock lock;

	private ConsulReadWriteLock other;

	@BeforeEach
	void hold() {
		this.lock = Instances.warmUp(this.instances.start(this.proxy.uri(), (builder) -> builder)).readWriteLock("a");
		this.other = this.instances.start().readWriteLock("a");
	}

	private static boolean isAboutMember(Request request) {
		return request.isTransaction() && request.body().contains("/.members/");
	}

	private static int times(Request request, String verb) {
		return request.body().split("\"" + verb + "\"", -1).length - 1;
	}

	@Test
	void anUncontendedPairOfAcquireAndReleaseIsTwoTransactions() {
		int before = transactions();
		this.lock.writeLock().acquire().close();
		assertThat(transactions() - before).isEqualTo(2);
	}

	@Test
	void whoTriesOnceDoesNotQueueUp() {
		LockHandle held = this.other.readLock().acquire();
		int before = transactions();
		assertThat(this.lock.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(transactions() - before).isEqualTo(1);
		held.close();
	}

	private int transactions() {
		return (int) this.proxy.requests().stream().filter(ReadWriteLostAnswerTests::isAboutMember).count();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void anAcquireWhoseAnswerIsLostIsOwnedAndReported(Fault fault) throws IOException {
		for (ConsulLock side : List.of(this.lock.readLock(), this.lock.writeLock())) {
			this.proxy.next(ACQUIRE, fault);
			assertIsHeldAndReleased(side.tryAcquire(LONG).orElseThrow());
		}
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void anAttemptThatWasGivenUpLeavesNothingAndSoDoesItsLateCopy(Fault fault) throws IOException {
		this.proxy.next(ACQUIRE, fault);
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.lock.writeLock().tryAcquire(Duration.ZERO));
		await().untilAsserted(this::assertNothingIsThere);
		// Its place in line, that of those who try once, is left with the settlement.
		await().ignoreExceptionsInstanceOf(ConsulUnavailableException.class)
			.until(() -> this.lock.readLock().tryAcquire(Duration.ZERO).map(LockHandle::release).orElse(false));
		this.proxy.deliverLate();
		assertNothingIsThere();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void whoQueuesUpWithoutAnAnswerIsQueuedOnceAndEnters(Fault fault) throws IOException {
		LockHandle held = this.other.writeLock().acquire();
		this.proxy.next(QUEUE_UP, fault);
		CompletableFuture<LockHandle> waiter = this.lock.writeLock().acquireAsync(LONG);
		await().until(() -> this.proxy.isDone() && state().queue().size() == 1);
		await().until(() -> members() == 2);
		this.proxy.deliverLate();
		assertThat(state().queue()).hasSize(1);
		held.close();
		assertIsHeldAndReleased(waiter.join());
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void whoQueuesUpWithoutAnAnswerAndGivesUpIsGone(Fault fault) throws IOException {
		LockHandle held = this.other.readLock().acquire();
		this.proxy.next(QUEUE_UP, fault);
		CompletableFuture<LockHandle> waiter = this.lock.writeLock().acquireAsync(LONG);
		await().until(() -> this.proxy.isDone() && state().queue().size() == 1);
		// From when the attempt is settled.
		await().until(() -> this.proxy.requests()
			.stream()
			.anyMatch((request) -> request.path().contains("wait=") && request.path().contains(this.lock.key() + "?")));
		waiter.cancel(true);
		await().until(() -> state().queue().isEmpty() && members() == 1);
		this.proxy.deliverLate();
		assertThat(state().queue()).isEmpty();
		held.close();
		assertNothingIsThere();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void whoEntersFromTheQueueWithoutAnAnswerIsToldThatItHolds(Fault fault) throws IOException {
		LockHandle held = this.other.writeLock().acquire();
		CompletableFuture<LockHandle> waiter = this.lock.readLock().acquireAsync(LONG);
		await().until(() -> state().queue().size() == 1);
		this.proxy.next(ENTER, fault);
		held.close();
		assertIsHeldAndReleased(waiter.join());
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void aDowngradeWithoutAnAnswerIsOne(Fault fault) throws IOException {
		this.lock.writeLock().lock();
		this.proxy.next((request) -> isAboutMember(request) && request.contains("lock"), fault);
		this.lock.readLock().lock();
		assertThat(this.proxy.isDone()).isTrue();
		this.lock.writeLock().unlock();
		this.proxy.deliverLate();
		assertThat(state().holders()).hasSize(1);
		this.lock.readLock().unlock();
		assertNothingIsThere();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void aReleaseWhoseAnswerIsLostIsDoneAndEndsNoLaterHold(Fault fault) throws IOException {
		LockHandle first = this.lock.readLock().acquire();
		this.proxy.next(LEAVE, fault);
		assertThat(first.release()).isTrue();
		await().untilAsserted(this::assertNothingIsThere);
		LockHandle second = this.lock.writeLock().tryAcquire(LONG).orElseThrow();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertIsHeldAndReleased(second);
	}

	private void assertIsHeldAndReleased(LockHandle handle) throws IOException {
		assertThat(this.proxy.isDone()).isTrue();
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(handle.isHeld()).isTrue();
		List<KvEntry> members = this.instances.observer.list(this.instances.prefix() + ".consul-lock/rw/");
		assertThat(members).extracting(KvEntry::modifyIndex).containsExactly(handle.fencingToken());
		assertThat(state().holders()).hasSize(1);
		assertThat(handle.release()).isTrue();
		assertNothingIsThere();
	}

	private ReadWriteState state() {
		return ReadWriteState.of(this.instances.entry("a"));
	}

	private int members() {
		return this.instances.observer.list(this.instances.prefix() + ".consul-lock/rw/").size();
	}

	private void assertNothingIsThere() {
		assertThat(this.instances.entry("a")).isNull();
		assertThat(members()).isZero();
	}

}
