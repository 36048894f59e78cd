package io.github.consullock.lock;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

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
 * Answers about permits that are lost, and copies that arrive late: owned and reported,
 * or free. Somebody else holds a permit all the while, and keeps it.
 */
class SemaphoreLostAnswerTests extends ProxiedInstances {

	private static final Duration LONG = Duration.ofMinutes(2);

	private ConsulSemaphore semaphore;

	private LockHandle other;

	@BeforeEach
	void hold() {
		this.semaphore = this.instances.start(this.proxy.uri(), (builder) -> builder).semaphore("a", 2);
		this.semaphore.acquire().close();
		this.other = this.instances.start().semaphore("a", 2).acquire();
	}

	private static boolean isAcquire(Request request) {
		return request.isTransaction() && request.contains("set") && request.contains("lock");
	}

	private static boolean isRelease(Request request) {
		return request.isTransaction() && request.contains("set") && request.contains("delete");
	}

	/** What is there while the other holds its permit, and nobody else has anything. */
	private boolean isOnlyTheOtherThere() {
		List<KvEntry> below = below();
		return below.size() == 2 && this.semaphore.holders().size() == 1 && below.stream()
			.anyMatch((entry) -> entry.modifyIndex() == this.other.fencingToken() && entry.session() != null);
	}

	private List<KvEntry> below() {
		return this.instances.observer.list(this.semaphore.key() + "/");
	}

	private boolean isThere(LockHandle permit) {
		return below().stream()
			.anyMatch((entry) -> entry.modifyIndex() == permit.fencingToken() && entry.session() != null);
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void anAcquireWhoseAnswerIsLostIsOwnedAndReported(Fault fault) throws IOException {
		this.proxy.next(SemaphoreLostAnswerTests::isAcquire, fault);
		LockHandle permit = this.semaphore.tryAcquire(LONG).orElseThrow();
		assertThat(this.proxy.isDone()).isTrue();
		assertThat(permit.isHeld()).isTrue();
		assertThat(isThere(permit)).isTrue();
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(isThere(permit)).isTrue();
		assertThat(this.semaphore.holders()).hasSize(2);
		assertThat(this.semaphore.tryAcquire(Duration.ZERO)).isEmpty();
		assertThat(permit.release()).isTrue();
		assertThat(isOnlyTheOtherThere()).isTrue();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void anAttemptThatWasGivenUpLeavesThePermitFreeAndSoDoesItsLateCopy(Fault fault) throws IOException {
		this.proxy.next(SemaphoreLostAnswerTests::isAcquire, fault);
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.semaphore.tryAcquire(Duration.ZERO));
		assertThat(this.proxy.isDone()).isTrue();
		await().ignoreExceptionsInstanceOf(ConsulUnavailableException.class)
			.until(() -> this.semaphore.tryAcquire(Duration.ZERO).map(LockHandle::release).orElse(false)
					&& isOnlyTheOtherThere());
		this.proxy.deliverLate();
		assertThat(isOnlyTheOtherThere()).isTrue();
	}

	@ParameterizedTest
	@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STALL") // takes as long as a
																	// timeout
	void aReleaseWhoseAnswerIsLostIsDoneAndEndsNoLaterHold(Fault fault) throws IOException {
		LockHandle first = this.semaphore.acquire();
		this.proxy.next(SemaphoreLostAnswerTests::isRelease, fault);
		assertThat(first.release()).isTrue();
		assertThat(this.proxy.isDone()).isTrue();
		LockHandle second = this.semaphore.tryAcquire(LONG).orElseThrow();
		assertThat(second.fencingToken()).isGreaterThan(first.fencingToken());
		assertThat(this.proxy.deliverLate()).allMatch((answer) -> answer.contains("409"));
		assertThat(second.isHeld()).isTrue();
		assertThat(isThere(second)).isTrue();
		assertThat(second.release()).isTrue();
		await().until(this::isOnlyTheOtherThere);
	}

	@Test
	void aPermitWhoseAnswerIsLostTogetherWithItsSessionIsNotTakenForHeld() throws IOException {
		this.proxy.next(SemaphoreLostAnswerTests::isAcquire, Fault.LOSE_ANSWER);
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.semaphore.tryAcquire(Duration.ZERO));
		below().stream()
			.filter((entry) -> entry.session() != null && entry.modifyIndex() != this.other.fencingToken())
			.forEach((entry) -> this.instances.observer.destroySession(entry.session()));
		LockHandle permit = this.semaphore.tryAcquire(LONG).orElseThrow();
		assertThat(isThere(permit)).isTrue();
		assertThat(this.semaphore.holders()).hasSize(2);
		assertThat(permit.release()).isTrue();
		await().until(this::isOnlyTheOtherThere);
	}

}
