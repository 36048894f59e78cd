package io.github.consullock.annotation;

import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

@Timeout(120)
class FutureTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Futures futures;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Futures.class);
		this.registry = LockContext.registry(this.context);
		this.futures = this.context.getBean(Futures.class);
	}

	@AfterEach
	void leaveNothingBehind() {
		LockContext.closeWhenIdle(this.context);
	}

	@Test
	void theLockIsHeldUntilTheFutureOfTheBodyCompletes() throws Exception {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> body);
		await().until(() -> !this.registry.isFree());
		assertThat(result).isNotDone();
		body.complete("done");
		assertThat(result.get()).isEqualTo("done");
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void theCallerDoesNotWaitForTheLock() throws Exception {
		this.registry.turn = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> CompletableFuture.completedFuture("done"));
		assertThat(result).isNotDone();
		this.registry.turn.complete(null);
		assertThat(result.get()).isEqualTo("done");
	}

	@Test
	void theBodyNeverStartsOnTheThreadOfTheCaller() throws Exception {
		Thread caller = Thread.currentThread();
		for (int i = 0; i < 200; i++) {
			assertThat(this.futures.run(() -> CompletableFuture.completedFuture(Thread.currentThread())).get())
				.isNotSameAs(caller);
		}
	}

	@Test
	void theResultIsThereAfterTheRelease() throws Exception {
		CompletableFuture<Boolean> free = this.futures.run(() -> CompletableFuture.completedFuture(""))
			.thenApply((value) -> this.registry.isFree());
		assertThat(free.get()).isTrue();
	}

	@Test
	void theMethodItselfFindsItsHold() throws Exception {
		assertThat(this.futures.run(() -> CompletableFuture.completedFuture(LockHandle.current().key())).get())
			.isEqualTo("locks/a");
	}

	@Test
	void whatTheBodyFailsWithReachesTheCallerAfterTheRelease() {
		IllegalStateException failure = new IllegalStateException("body");
		assertThatThrownBy(() -> this.futures.run(() -> CompletableFuture.failedFuture(failure)).get())
			.isInstanceOf(ExecutionException.class)
			.cause()
			.isSameAs(failure);
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void aBodyThatThrowsFailsTheFuture() {
		IllegalStateException failure = new IllegalStateException("body");
		assertThatThrownBy(() -> this.futures.run(() -> {
			throw failure;
		}).get()).isInstanceOf(ExecutionException.class).cause().isSameAs(failure);
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void aBodyThatReturnsNullCompletesTheFuture() throws Exception {
		assertThat(this.futures.<Object>run(() -> null).get()).isNull();
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void aStageOrAPlainFutureIsWaitedForToo() throws Exception {
		assertThat(this.futures.stage(() -> CompletableFuture.completedStage("stage")).toCompletableFuture().get())
			.isEqualTo("stage");
		FutureTask<String> body = new FutureTask<>(() -> "plain");
		Future<String> result = this.futures.plain(() -> body);
		await().until(() -> !this.registry.isFree());
		assertThat(result).isNotDone();
		body.run();
		assertThat(result.get()).isEqualTo("plain");
		FutureTask<String> failing = new FutureTask<>(() -> {
			throw new IllegalStateException("plain");
		});
		failing.run();
		assertThatThrownBy(() -> this.futures.plain(() -> failing).get()).isInstanceOf(ExecutionException.class)
			.hasCauseInstanceOf(IllegalStateException.class);
	}

	@Test
	void aCancelEndsTheWait() {
		this.registry.turn = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> {
			throw new AssertionError("ran");
		});
		result.cancel(true);
		this.registry.turn.complete(null);
		assertThat(this.registry.events).containsExactly("cancel locks/a");
	}

	@Test
	void aCancelCancelsTheBodyAndReleases() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> body);
		await().until(this.futures::hasBegun);
		result.cancel(true);
		await().until(this.registry::isFree);
		assertThat(body).isCancelled();
	}

	@Test
	void aCancelWhileTheMethodRunsCancelsWhatItReturns() throws Exception {
		CompletableFuture<String> body = new CompletableFuture<>();
		CountDownLatch running = new CountDownLatch(1);
		CountDownLatch cancelled = new CountDownLatch(1);
		CompletableFuture<String> result = this.futures.run(() -> {
			running.countDown();
			awaitQuietly(cancelled);
			return body;
		});
		running.await();
		result.cancel(true);
		assertThat(this.registry.isFree()).isFalse();
		cancelled.countDown();
		await().until(this.registry::isFree);
		assertThat(body).isCancelled();
	}

	@Test
	void aTimeoutOfTheCallerGivesTheCallUp() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> body);
		await().until(this.futures::hasBegun);
		result.orTimeout(1, TimeUnit.MILLISECONDS);
		await().until(this.registry::isFree);
		assertThat(body).isCancelled();
	}

	@Test
	void aLossCancelsTheBodyAndFailsTheResult() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> body);
		loseOnceBegun();
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.cause()
			.isInstanceOfSatisfying(LockLostException.class, (ex) -> {
				assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
				assertThat(ex.key()).isEqualTo("locks/a");
				assertThat(ex).hasCauseInstanceOf(CancellationException.class);
			});
		assertThat(body).isCancelled();
	}

	@Test
	void aLossFailsTheResultOfWhatCannotBeCancelled() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.stage(body::minimalCompletionStage).toCompletableFuture();
		loseOnceBegun();
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.hasCauseInstanceOf(LockLostException.class);
		assertThat(body).isNotDone();
		body.complete("");
	}

	@Test
	void whatCannotBeCancelledKeepsTheLockAfterACancel() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.stage(body::minimalCompletionStage).toCompletableFuture();
		await().until(() -> body.getNumberOfDependents() > 0);
		result.cancel(true);
		await().during(Duration.ofMillis(100)).until(() -> !this.registry.isFree());
		body.complete("");
		await().until(this.registry::isFree);
	}

	@Test
	void whatCannotBeCancelledKeepsALockThatIsLostByItsLimit() {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.stage(body::minimalCompletionStage).toCompletableFuture();
		await().until(this.futures::hasBegun);
		this.registry.holder("a").lose(LockLostReason.MAX_HOLD_EXCEEDED);
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.hasCauseInstanceOf(LockLostException.class);
		await().during(Duration.ofMillis(100))
			.untilAsserted(() -> assertThat(this.registry.events).containsExactly("acquire locks/a"));
		body.complete("");
		await().untilAsserted(
				() -> assertThat(this.registry.events).containsExactly("acquire locks/a", "release lost locks/a"));
	}

	@Test
	void theBodyHasTheContextClassLoaderOfTheCaller() throws Exception {
		ClassLoader callers = new URLClassLoader(new URL[0]);
		this.registry.turn = new CompletableFuture<>();
		Thread thread = Thread.currentThread();
		ClassLoader usual = thread.getContextClassLoader();
		CompletableFuture<ClassLoader> result;
		thread.setContextClassLoader(callers);
		try {
			result = this.futures
				.run(() -> CompletableFuture.completedFuture(Thread.currentThread().getContextClassLoader()));
		}
		finally {
			thread.setContextClassLoader(usual);
		}
		this.registry.turn.completeAsync(() -> null);
		assertThat(result.get()).isSameAs(callers);
	}

	@Test
	void aLossCancelsAPlainFuture() {
		FutureTask<String> body = new FutureTask<>(() -> "");
		Future<String> result = this.futures.plain(() -> body);
		loseOnceBegun();
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.hasCauseInstanceOf(LockLostException.class);
		assertThat(body).isCancelled();
	}

	@Test
	void aLossWhileTheMethodRunsInterruptsIt() {
		CompletableFuture<String> result = this.futures.run(() -> {
			try {
				new CountDownLatch(1).await();
				return CompletableFuture.completedFuture("");
			}
			catch (InterruptedException ex) {
				throw new IllegalStateException(ex);
			}
		});
		loseOnceBegun();
		assertThatThrownBy(result::get).isInstanceOf(ExecutionException.class)
			.cause()
			.isInstanceOf(LockLostException.class)
			.hasCauseInstanceOf(IllegalStateException.class);
	}

	@Test
	void aLossThatOnlyTheReleaseDiscoversFailsTheResult() {
		IllegalStateException failure = new IllegalStateException("body");
		for (CompletableFuture<String> end : List.of(CompletableFuture.completedFuture("done"),
				CompletableFuture.<String>failedFuture(failure))) {
			CompletableFuture<String> result = this.futures.run(() -> {
				this.registry.holder("a").loseSilently(LockLostReason.DEADLINE_PASSED);
				return end;
			});
			assertThatThrownBy(result::get).cause().isInstanceOfSatisfying(LockLostException.class, (ex) -> {
				assertThat(ex.reason()).isEqualTo(LockLostReason.DEADLINE_PASSED);
				assertThat(ex.getCause()).isSameAs(end.isCompletedExceptionally() ? failure : null);
			});
		}
	}

	@Test
	void withNotifyTheBodyGoesOnAndItsResultCounts() throws Exception {
		CompletableFuture<String> body = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.notified(() -> body);
		loseOnceBegun();
		assertThat(body).isNotDone();
		assertThat(result).isNotDone();
		body.complete("went on");
		assertThat(result.get()).isEqualTo("went on");
	}

	@Test
	void aCallThatDoesNotGetTheLockFailsTheFuture() {
		try (LockHandle other = this.registry.obtain("a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThatThrownBy(() -> this.futures.run(() -> CompletableFuture.completedFuture("ran")).get())
				.isInstanceOf(ExecutionException.class)
				.hasCauseInstanceOf(LockNotAcquiredException.class);
		}
	}

	@Test
	void aSkippedCallCompletesWithWhatSaysThatNothingWasDone() throws Exception {
		try (LockHandle other = this.registry.obtain("skip").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.futures.skipBoolean().get()).isFalse();
			assertThat(this.futures.skipVoid().toCompletableFuture().get()).isNull();
			assertThat(this.futures.skipText().get()).isNull();
		}
		assertThat(this.futures.skipBoolean().get()).isTrue();
	}

	@Test
	void onlyAnAcquisitionInVainIsSkipped() {
		this.registry.failure = new ConsulUnavailableException("no answer");
		assertThatThrownBy(() -> this.futures.skipBoolean().get()).hasCauseInstanceOf(ConsulUnavailableException.class);
		this.registry.failure = null;
		assertThatThrownBy(() -> this.futures.skipThrowing(new LockNotAcquiredException("b", "body")).get())
			.hasCauseInstanceOf(LockNotAcquiredException.class);
	}

	@Test
	void aCallOfTheSameKeyInsideTheMethodJoinsItsHold() throws Exception {
		CompletableFuture<String> result = this.futures.run(() -> {
			assertThat(this.futures.blocking()).isEqualTo(LockHandle.current().fencingToken());
			return this.futures
				.run(() -> CompletableFuture.completedFuture("joined " + LockHandle.current().fencingToken()));
		});
		assertThat(result.get()).isEqualTo("joined 1");
		assertThat(this.registry.events).containsExactly("acquire locks/a", "release locks/a");
	}

	@Test
	void theHoldLastsUntilWhatJoinedItHasEnded() throws Exception {
		CompletableFuture<String> joined = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> {
			CompletableFuture<String> inner = this.futures.run(() -> joined);
			assertThat(inner).isNotDone();
			return CompletableFuture.completedFuture("done");
		});
		await().until(() -> joined.getNumberOfDependents() > 0);
		assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> result.get(50, TimeUnit.MILLISECONDS));
		assertThat(this.registry.isFree()).isFalse();
		joined.complete("");
		assertThat(result.get()).isEqualTo("done");
	}

	@Test
	void aLossCancelsWhatJoinedToo() {
		CompletableFuture<String> joined = new CompletableFuture<>();
		CompletableFuture<String> result = this.futures.run(() -> this.futures.run(() -> joined));
		await().until(() -> joined.getNumberOfDependents() > 0);
		this.registry.holder("a").lose(LockLostReason.KEY_DELETED);
		assertThatThrownBy(result::get).hasCauseInstanceOf(LockLostException.class);
		assertThat(joined).isCancelled();
	}

	@Test
	void aCallOnAnotherThreadIsASeparateWait() {
		CompletableFuture<String> result = this.futures.run(() -> CompletableFuture
			.supplyAsync(() -> this.futures.run(() -> CompletableFuture.completedFuture("ran")))
			.thenCompose((inner) -> inner));
		assertThatThrownBy(result::get).hasCauseInstanceOf(LockNotAcquiredException.class);
	}

	/** A call whose lock is lost before does not begin. */
	private void loseOnceBegun() {
		await().until(this.futures::hasBegun);
		this.registry.holder("a").lose(LockLostReason.SESSION_INVALIDATED);
	}

	private static void awaitQuietly(CountDownLatch latch) {
		try {
			latch.await();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static class Futures {

		private volatile boolean begun;

		public boolean hasBegun() {
			return this.begun;
		}

		@DistributedLock("a")
		public <T> CompletableFuture<T> run(Supplier<CompletableFuture<T>> body) {
			this.begun = true;
			return body.get();
		}

		@DistributedLock("a")
		public <T> CompletionStage<T> stage(Supplier<CompletionStage<T>> body) {
			this.begun = true;
			return body.get();
		}

		@DistributedLock("a")
		public <T> Future<T> plain(Supplier<Future<T>> body) {
			this.begun = true;
			return body.get();
		}

		@DistributedLock(key = "a", onLost = LossPolicy.NOTIFY)
		public <T> CompletableFuture<T> notified(Supplier<CompletableFuture<T>> body) {
			this.begun = true;
			return body.get();
		}

		@DistributedLock("a")
		public long blocking() {
			return LockHandle.current().fencingToken();
		}

		@DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletableFuture<Boolean> skipBoolean() {
			return CompletableFuture.completedFuture(true);
		}

		@DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletableFuture<Boolean> skipThrowing(RuntimeException failure) {
			return CompletableFuture.failedFuture(failure);
		}

		@DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletionStage<@Nullable Void> skipVoid() {
			throw new IllegalStateException("ran");
		}

		@DistributedLock(key = "skip", onNotAcquired = NotAcquiredPolicy.SKIP)
		public Future<@Nullable String> skipText() {
			throw new IllegalStateException("ran");
		}

	}

}
