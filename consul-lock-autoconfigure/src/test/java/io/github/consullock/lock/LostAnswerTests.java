package io.github.consullock.lock;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.FaultyProxy.Fault;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

/**
 * Answers that are lost, and copies that arrive late: owned and reported, or free.
 */
class LostAnswerTests extends ProxiedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration WATCHED_AFTER = Duration.ofMillis(250);

	/** Locks a key, as an attempt to acquire does, which checks its session's fence. */
	private static final Predicate<Request> HAND_OVER = (request) -> request.isTransaction() && request.contains("lock")
			&& !request.body().contains("/fences/");

	private ConsulLockRegistry registry;

	private boolean deleteOnRelease;

	static Stream<Arguments> faults() {
		// Not those that take as long as a timeout.
		return Stream.of(Fault.values())
			.filter((fault) -> fault != Fault.STALL)
			.flatMap((fault) -> Stream.of(arguments(fault, true), arguments(fault, false)));
	}

	/**
	 * An instance that has held "a" before, of which there is an entry now if releases do
	 * not delete it.
	 */
	private void start(boolean deleteOnRelease) {
		this.deleteOnRelease = deleteOnRelease;
		this.registry = this.instances.start(this.proxy.uri(), (builder) -> builder.deleteOnRelease(deleteOnRelease));
		this.registry.obtain("a").acquire().close();
	}

	/**
	 * The one that succeeds: an entry that is there is learnt of by one that does not.
	 */
	private boolean isAcquire(Request request) {
		return request.isTransaction() && request.contains("lock") && !request.contains("unlock")
				&& request.contains("check-not-exists") == this.deleteOnRelease;
	}

	private boolean isRelease(Request request) {
		return request.isTransaction() && request.contains(this.deleteOnRelease ? "delete-cas" : "unlock")
				&& !request.contains("lock");
	}

	private boolean isFree() {
		KvEntry entry = this.instances.entry("a");
		return this.deleteOnRelease ? entry == null : entry != null && entry.session() == null;
	}

	@Test
	void anUncontendedPairOfAcquireAndReleaseIsTwoRequests() {
		start(true);
		await().until(() -> this.proxy.requests().stream().anyMatch((request) -> request.path().contains("recurse"))
				&& this.proxy.requests().stream().anyMatch(LostAnswerTests::isWatchOfSession));
		int quick = 0;
		for (int i = 0; i < 100 && quick < 5; i++) {
			ConsulLock lock = this.registry.obtain("a" + i);
			int before = this.proxy.requests().size();
			long start = System.nanoTime();
			lock.acquire().close();
			// A hold that lasts is watched, which is a request more.
			if (System.nanoTime() - start < WATCHED_AFTER.toNanos()) {
				quick++;
				List<Request> sent = this.proxy.requests()
					.stream()
					.skip(before)
					.filter((request) -> request.isTransaction() || request.isAbout(lock.key()) || isOfSession(request))
					.toList();
				assertThat(sent).extracting(Request::path).containsExactly("/v1/txn", "/v1/txn");
			}
		}
		assertThat(quick).isEqualTo(5);
	}

	/** But for what keeps and watches it, which goes on beside every lock. */
	private static boolean isOfSession(Request request) {
		return request.path().startsWith("/v1/session/") && !request.path().startsWith("/v1/session/renew/")
				&& !isWatchOfSession(request);
	}

	/** But for its first look, which has no index. */
	private static boolean isWatchOfSession(Request request) {
		return request.path().startsWith("/v1/session/info/") && request.path().contains("index=");
	}

	@ParameterizedTest
	@MethodSource("faults")
	void anAcquireWhoseAnswerIsLostIsOwnedAndReported(Fault fault, boolean deleteOnRelease) throws IOException {
		start(deleteOnRelease);
		this.proxy.next(this::isAcquire, fault);
		LockHandle handle = this.registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(this.proxy.isDone()).isTrue();
		assertThat(handle.isHeld()).isTrue();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
		assertThat(handle.release()).isTrue();
		assertThat(isFree()).isTrue();
	}

	@ParameterizedTest
	@MethodSource("faults")
	void anAttemptThatWasGivenUpLeavesTheLockFreeAndSoDoesItsLateCopy(Fault fault, boolean deleteOnRelease)
			throws IOException {
		start(deleteOnRelease);
		this.proxy.next(this::isAcquire, fault);
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.registry.obtain("a").tryAcquire(Duration.ZERO));
		assertThat(this.proxy.isDone()).isTrue();
		await().ignoreExceptionsInstanceOf(ConsulUnavailableException.class).until(() -> isFree() && canBeTaken("a"));
		this.proxy.deliverLate();
		assertThat(isFree()).isTrue();
	}

	@ParameterizedTest
	@MethodSource("faults")
	void aReleaseWhoseAnswerIsLostIsDoneAndEndsNoLaterHold(Fault fault, boolean deleteOnRelease) throws IOException {
		start(deleteOnRelease);
		LockHandle first = this.registry.obtain("a").acquire();
		this.proxy.next(this::isRelease, fault);
		assertThat(first.release()).isTrue();
		assertThat(this.proxy.isDone()).isTrue();
		LockHandle second = this.registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(second.isHeld()).isTrue();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(second.fencingToken());
		assertThat(second.release()).isTrue();
		assertThat(isFree()).isTrue();
	}

	@ParameterizedTest
	@MethodSource("faults")
	void aHandOverWhoseAnswerIsLostStillReachesTheNextThread(Fault fault, boolean deleteOnRelease) throws Exception {
		start(deleteOnRelease);
		LockHandle held = this.instances.start().obtain("a").acquire();
		AtomicReference<LockHandle> first = new AtomicReference<>();
		AtomicReference<LockHandle> second = new AtomicReference<>();
		this.proxy.next(HAND_OVER, fault);
		// Released as soon as it is held: one that was held for long is not handed over.
		Thread releasing = waiting(first, LockHandle::release);
		Thread waiter = waiting(second, LockHandle::isHeld);
		held.release();
		releasing.join();
		waiter.join();
		assertThat(this.proxy.isDone()).isTrue();
		assertThat(second.get().fencingToken()).isGreaterThan(first.get().fencingToken());
		this.proxy.deliverLate();
		assertThat(second.get().isHeld()).isTrue();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(second.get().fencingToken());
		assertThat(second.get().release()).isTrue();
		assertThat(isFree()).isTrue();
	}

	/** A thread that waits, and notes the hold if what it does first with it succeeds. */
	private Thread waiting(AtomicReference<LockHandle> hold, Predicate<LockHandle> then) {
		Thread thread = new Thread(() -> {
			LockHandle handle = this.registry.obtain("a").tryAcquire(LONG).orElseThrow();
			if (then.test(handle)) {
				hold.set(handle);
			}
		});
		thread.start();
		await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
		return thread;
	}

	@Test
	void anInterruptInTheMiddleOfARequestEndsItAtOnceAndLeavesNothing() throws Exception {
		try (ConsulServer own = ConsulServer.start();
				Instances others = new Instances(own.httpUri(), this.instances.prefix())) {
			ConsulLockRegistry frozen = others.start();
			frozen.obtain("warm-up").acquire().close();
			own.pause();
			AtomicReference<Throwable> failure = new AtomicReference<>();
			Thread thread = new Thread(() -> {
				try {
					frozen.obtain("a").tryAcquire(LONG);
				}
				catch (LockInterruptedException ex) {
					failure.set(ex);
				}
			});
			thread.start();
			await().until(() -> isInRequest(thread));
			thread.interrupt();
			thread.join(LONG.dividedBy(2).toMillis());
			assertThat(failure.get()).isInstanceOf(LockInterruptedException.class);
			own.resume();
			assertThat(frozen.obtain("a").tryAcquire(LONG).orElseThrow().release()).isTrue();
			assertThat(others.entry("a")).isNull();
		}
	}

	private static boolean isInRequest(Thread thread) {
		for (StackTraceElement frame : thread.getStackTrace()) {
			if (frame.getMethodName().equals("transact")) {
				return true;
			}
		}
		return false;
	}

	private boolean canBeTaken(String key) {
		return this.registry.obtain(key).tryAcquire(Duration.ZERO).map(LockHandle::release).orElse(false);
	}

}
