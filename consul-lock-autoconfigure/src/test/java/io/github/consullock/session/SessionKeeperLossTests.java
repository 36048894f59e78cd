package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * How a session ends, on a virtual clock: lost, told once, destroyed; or closed.
 */
class SessionKeeperLossTests {

	/** From the renewal's sending to the deadline. */
	private static final Duration SPAN = SessionSettings.DEFAULTS.ttl().minus(SessionSettings.DEFAULTS.safetyMargin());

	private final VirtualKeeperThreads threads = new VirtualKeeperThreads();

	private final ScriptedConsul consul = new ScriptedConsul(this.threads);

	private final List<Loss> losses = new ArrayList<>();

	private final SessionKeeper keeper = new SessionKeeper(this.consul, SessionSettings.DEFAULTS,
			(session, reason) -> this.losses.add(new Loss(session.id(), reason, this.threads.elapsed())), this.threads);

	@AfterEach
	void clearInterrupt() {
		Thread.interrupted();
	}

	@Test
	void theDeadlineIsToldAtTheDeadlineWhileARenewalHangs() {
		ConsulSession session = session();
		this.threads.advance(Duration.ofMinutes(1));
		Duration lastRenewal = lastRenewal();
		this.consul.onRenew = this.consul.slow(Duration.ofMinutes(1));
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(this.losses)
			.containsExactly(new Loss("session-1", LockLostReason.DEADLINE_PASSED, lastRenewal.plus(SPAN)));
		assertThat(session.isLive()).isFalse();
		assertThat(session.lostReason()).hasValue(LockLostReason.DEADLINE_PASSED);
	}

	@Test
	void theSessionLivesUntilTheDeadlineAndNotAMomentLonger() {
		ConsulSession session = session();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(SPAN.minusNanos(1));
		assertThat(session.isLive()).isTrue();
		assertThat(session.remaining()).isEqualTo(Duration.ofNanos(1));
		assertThat(this.losses).isEmpty();
		this.threads.advance(Duration.ofNanos(1));
		assertThat(session.isLive()).isFalse();
		assertThat(session.remaining()).isZero();
		assertThat(this.losses).containsExactly(new Loss("session-1", LockLostReason.DEADLINE_PASSED, SPAN));
	}

	@Test
	void aRenewalThatSucceedsTooLateRevivesNothing() {
		ConsulSession session = session();
		this.consul.onRenew = this.consul.slow(Duration.ofSeconds(30));
		this.threads.advance(Duration.ofSeconds(40));
		assertThat(this.losses).hasSize(1);
		assertThat(session.isLive()).isFalse();
		assertThat(this.consul.destroyed).containsExactly("session-1");
		assertThat(this.consul.renewals).hasSize(2);
	}

	@Test
	void aRenewalThatFindsNoSessionIsALossToldOnce() {
		ConsulSession session = session();
		this.consul.sessions.clear();
		this.threads.advance(Duration.ofMillis(2500));
		assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
		assertThat(session.isLive()).isFalse();
		assertThat(session.lostReason()).hasValue(LockLostReason.SESSION_INVALIDATED);
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.NONE);
		this.keeper.verify(session);
		this.threads.advance(Duration.ofMinutes(5));
		assertThat(this.losses).hasSize(1);
		assertThat(this.consul.renewals).hasSize(2);
		assertThat(this.consul.created).hasSize(1);
	}

	@Test
	void aRefusedRenewalIsRepeatedUntilTheDeadlineAndMayYetSucceed() {
		ConsulSession session = session();
		this.consul.onRenew = ScriptedConsul.REFUSED;
		this.threads.advance(Duration.ofSeconds(20));
		assertThat(this.consul.renewals).hasSizeBetween(9, 11);
		this.consul.onRenew = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofSeconds(20));
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
		Duration lastRenewal = lastRenewal();
		this.consul.onRenew = ScriptedConsul.REFUSED;
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(this.losses)
			.containsExactly(new Loss("session-1", LockLostReason.DEADLINE_PASSED, lastRenewal.plus(SPAN)));
	}

	@Test
	void aLossIsFollowedByANewSessionWhenOneIsNeeded() {
		ConsulSession first = session();
		this.consul.sessions.clear();
		this.threads.advance(Duration.ofMinutes(10));
		ConsulSession second = session();
		assertThat(second.id()).isEqualTo("session-2");
		assertThat(second.isLive()).isTrue();
		assertThat(first.isLive()).isFalse();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(second.isLive()).isTrue();
		assertThat(this.losses).hasSize(1);
	}

	@Test
	void whoAsksAfterAPauseOfTheProcessGetsANewSessionAndTheLossIsToldOnce() {
		ConsulSession first = session();
		this.threads.stopProcessFor(Duration.ofSeconds(30));
		assertThat(first.isLive()).isFalse();
		CompletableFuture<ConsulSession> second = this.keeper.session();
		assertThat(this.losses)
			.containsExactly(new Loss("session-1", LockLostReason.DEADLINE_PASSED, Duration.ofSeconds(30)));
		this.threads.runDue();
		assertThat(second.join().id()).isEqualTo("session-2");
		assertThat(second.join().isLive()).isTrue();
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(this.losses).hasSize(1);
		assertThat(this.consul.sessions).containsExactly("session-2");
	}

	@Test
	void aSessionSeenPastItsDeadlineIsNotRevivedByTheRenewalUnderWay() {
		ConsulSession session = session();
		this.consul.onRenew = () -> {
			this.threads.stopProcessFor(SPAN);
			assertThat(session.isLive()).isFalse();
		};
		this.threads.advance(Duration.ofSeconds(3));
		assertThat(session.isLive()).isFalse();
		assertThat(this.losses).hasSize(1);
	}

	@Test
	void aLostSessionIsDestroyedOnceConsulAnswers() {
		session();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.consul.onDestroy = this.consul.hanging();
		this.threads.advance(SPAN.plusSeconds(20));
		assertThat(this.consul.sessions).containsExactly("session-1");
		assertThat(this.consul.destroyed).hasSizeBetween(3, 9);
		this.consul.onDestroy = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofSeconds(5));
		assertThat(this.consul.sessions).isEmpty();
		int attempts = this.consul.destroyed.size();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(this.consul.destroyed).hasSize(attempts);
	}

	@Test
	void aLostSessionIsGivenUpOnceConsulHasEndedItItself() {
		session();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.consul.onDestroy = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(Duration.ofMinutes(30));
		assertThat(this.consul.destroyed).hasSize(20);
		this.keeper.close();
		assertThat(this.consul.destroyed).hasSize(20);
	}

	@Test
	void whatWasNotYetDestroyedIsDestroyedOnClosing() {
		session();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.consul.onDestroy = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(SPAN.plusSeconds(1));
		this.consul.onRenew = ScriptedConsul.NORMAL;
		session();
		assertThat(this.consul.sessions).containsExactly("session-1", "session-2");
		this.consul.onDestroy = ScriptedConsul.NORMAL;
		this.keeper.close();
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void aListenerThatFailsKeepsNeitherTheSessionNorTheNextOne() {
		SessionKeeper careless = new SessionKeeper(this.consul, SessionSettings.DEFAULTS, (session, reason) -> {
			throw new IllegalStateException("careless");
		}, this.threads);
		CompletableFuture<ConsulSession> first = careless.session();
		this.threads.runDue();
		assertThat(first.join().isLive()).isTrue();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(SPAN);
		assertThat(this.consul.sessions).isEmpty();
		this.consul.onRenew = ScriptedConsul.NORMAL;
		CompletableFuture<ConsulSession> next = careless.session();
		this.threads.runDue();
		assertThat(next.join().isLive()).isTrue();
	}

	@Test
	void closingEndsAndDestroysTheSessionAndTellsNobody() {
		ConsulSession session = session();
		this.keeper.close();
		assertThat(session.isLive()).isFalse();
		assertThat(session.remaining()).isZero();
		assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
		assertThat(this.consul.sessions).isEmpty();
		assertThat(this.losses).isEmpty();
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.CLOSED);
		this.keeper.close();
		assertThat(this.consul.destroyed).containsExactly("session-1");
	}

	@Test
	void aClosedKeeperGivesNoSession() {
		this.keeper.close();
		assertThat(this.keeper.session()).isCompletedExceptionally();
		assertThat(failureOf(this.keeper.session())).isInstanceOf(ConsulUnavailableException.class)
			.hasMessageContaining("closed");
		assertThat(this.consul.created).isEmpty();
	}

	@Test
	void closingDuringTheCreationFailsThoseWhoWaitAndDestroysWhatWasCreated() {
		CompletableFuture<ConsulSession> waiter = this.keeper.session();
		this.consul.afterCreate = this.keeper::close;
		this.threads.runDue();
		assertThat(failureOf(waiter)).isInstanceOf(ConsulUnavailableException.class).hasMessageContaining("closed");
		assertThat(this.consul.created).containsExactly("session-1");
		assertThat(this.consul.sessions).isEmpty();
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.CLOSED);
		assertThat(this.losses).isEmpty();
	}

	@Test
	void closingDuringARenewalEndsTheSessionOnce() {
		ConsulSession session = session();
		this.consul.onRenew = this.keeper::close;
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
		assertThat(this.consul.sessions).isEmpty();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void closingWhileTheWatchHasTheSessionRenewedTellsNobody() {
		ConsulSession session = session();
		this.consul.sessions.clear();
		this.consul.onRenew = this.keeper::close;
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
		assertThat(this.losses).isEmpty();
	}

	@Test
	void closingOnAnInterruptedThreadStillDestroysTheSessionAndLeavesTheInterrupt() {
		session();
		Thread.currentThread().interrupt();
		this.keeper.close();
		assertThat(Thread.currentThread().isInterrupted()).isTrue();
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void closingWhileConsulDoesNotAnswerEnds() {
		ConsulSession session = session();
		this.consul.onDestroy = this.consul.hanging();
		this.keeper.close();
		assertThat(this.consul.destroyed).containsExactly("session-1");
		assertThat(session.isLive()).isFalse();
	}

	private ConsulSession session() {
		CompletableFuture<ConsulSession> session = this.keeper.session();
		this.threads.runDue();
		return session.join();
	}

	private static @Nullable Throwable failureOf(CompletableFuture<ConsulSession> session) {
		return catchThrowableOfType(ExecutionException.class, () -> session.get(0, TimeUnit.SECONDS)).getCause();
	}

	private Duration lastRenewal() {
		return this.consul.renewals.get(this.consul.renewals.size() - 1);
	}

	private record Loss(String session, LockLostReason reason, Duration at) {
	}

}
