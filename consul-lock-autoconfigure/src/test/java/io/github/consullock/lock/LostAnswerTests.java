package io.github.consullock.lock;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.FaultyProxy;
import io.github.consullock.FaultyProxy.Fault;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Answers that are lost, and copies that arrive late: owned and reported, or free.
 */
@ConsulTest
class LostAnswerTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration WATCHED_AFTER = Duration.ofMillis(250);

	private static final Predicate<Request> ACQUIRE = (request) -> request.isTransaction()
			&& request.contains("check-not-exists") && request.contains("lock");

	private static final Predicate<Request> RELEASE = (request) -> request.isTransaction()
			&& request.contains("delete-cas");

	private static final Predicate<Request> HAND_OVER = (request) -> request.isTransaction()
			&& request.contains("unlock") && request.contains("lock");

	private Instances instances;

	private FaultyProxy proxy;

	private ConsulLockRegistry registry;

	@BeforeEach
	void start(ConsulServer consul, KeyPrefix prefix) throws IOException {
		this.instances = new Instances(consul.httpUri(), prefix.value());
		this.proxy = new FaultyProxy(consul.httpUri());
		this.registry = this.instances.start(this.proxy.uri(), (builder) -> builder);
	}

	@AfterEach
	void stop() {
		this.instances.close();
		this.proxy.close();
	}

	@Test
	void anUncontendedPairOfAcquireAndReleaseIsTwoRequests() {
		this.registry.obtain("warm-up").acquire().close();
		await().until(() -> this.proxy.requests().stream().anyMatch((request) -> request.path().contains("recurse")));
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
				&& !(request.path().startsWith("/v1/session/info/") && request.path().contains("index="));
	}

	@ParameterizedTest
	@EnumSource(Fault.class)
	void anAcquireWhoseAnswerIsLostIsOwnedAndReported(Fault fault) throws IOException {
		this.registry.obtain("warm-up").acquire().close();
		this.proxy.next(ACQUIRE, fault);
		LockHandle handle = this.registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(this.proxy.isDone()).isTrue();
		assertThat(handle.isHeld()).isTrue();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(handle.fencingToken());
		assertThat(handle.release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@ParameterizedTest
	@EnumSource(Fault.class)
	void anAttemptThatWasGivenUpLeavesTheLockFreeAndSoDoesItsLateCopy(Fault fault) throws IOException {
		this.registry.obtain("warm-up").acquire().close();
		this.proxy.next(ACQUIRE, fault);
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.registry.obtain("a").tryAcquire(Duration.ZERO));
		await().ignoreExceptionsInstanceOf(ConsulUnavailableException.class)
			.until(() -> this.instances.entry("a") == null && canBeTaken("a"));
		this.proxy.deliverLate();
		assertThat(this.instances.entry("a")).isNull();
	}

	@ParameterizedTest
	@EnumSource(Fault.class)
	void aReleaseWhoseAnswerIsLostIsDoneAndEndsNoLaterHold(Fault fault) throws IOException {
		LockHandle first = this.registry.obtain("a").acquire();
		this.proxy.next(RELEASE, fault);
		assertThat(first.release()).isTrue();
		LockHandle second = this.registry.obtain("a").tryAcquire(LONG).orElseThrow();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(second.isHeld()).isTrue();
		assertThat(this.instances.entry("a").modifyIndex()).isEqualTo(second.fencingToken());
		assertThat(second.release()).isTrue();
		assertThat(this.instances.entry("a")).isNull();
	}

	@ParameterizedTest
	@EnumSource(Fault.class)
	void aHandOverWhoseAnswerIsLostStillReachesTheNextThread(Fault fault) throws Exception {
		LockHandle held = this.instances.start().obtain("a").acquire();
		Instances.warmUp(this.registry);
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
		assertThat(this.instances.entry("a")).isNull();
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
