package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * How keepers are leased, reused and closed, on a virtual clock.
 */
class SessionPoolTests {

	private static final Duration MAX_IDLE = Duration.ofMinutes(1);

	private static final Duration SPAN = SessionSettings.DEFAULTS.ttl().minus(SessionSettings.DEFAULTS.safetyMargin());

	private final VirtualKeeperThreads threads = new VirtualKeeperThreads();

	private final ScriptedConsul consul = new ScriptedConsul(this.threads);

	private final List<String> losses = new ArrayList<>();

	private final SessionPool pool = new SessionPool(this.consul, SessionSettings.DEFAULTS,
			(session, reason) -> this.losses.add(session.id() + " " + reason), this.threads);

	@AfterEach
	void clearInterrupt() {
		Thread.interrupted();
	}

	@Test
	void leasingAsksNothingOfConsul() {
		this.pool.lease();
		this.threads.advance(Duration.ofMinutes(5));
		assertThat(this.consul.created).isEmpty();
	}

	@Test
	void eachLesseeHasASessionOfItsOwn() {
		SessionKeeper one = this.pool.lease();
		SessionKeeper other = this.pool.lease();
		assertThat(session(one).id()).isEqualTo("session-1");
		assertThat(session(other).id()).isEqualTo("session-2");
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(session(one).id()).isEqualTo("session-1");
		assertThat(session(other).id()).isEqualTo("session-2");
		assertThat(this.consul.watchedIndexes).isEmpty();
		assertThat(this.threads.answerWatch()).isFalse();
	}

	@Test
	void theKeeperGivenBackLastIsReusedFirst() {
		SessionKeeper one = this.pool.lease();
		SessionKeeper other = this.pool.lease();
		String session = session(other).id();
		this.pool.giveBack(one);
		this.pool.giveBack(other);
		assertThat(this.pool.lease()).isSameAs(other);
		assertThat(session(other).id()).isEqualTo(session);
		assertThat(this.pool.lease()).isSameAs(one);
		assertThat(this.pool.lease()).isNotSameAs(one).isNotSameAs(other);
	}

	@Test
	void anIdleSessionIsRenewedForAMinuteAndThenDestroyed() {
		SessionKeeper keeper = leaseWithSession();
		this.threads.advance(Duration.ofMinutes(10));
		this.pool.giveBack(keeper);
		this.threads.advance(MAX_IDLE.minusNanos(1));
		assertThat(this.consul.sessions).containsExactly("session-1");
		assertThat(this.consul.destroyed).isEmpty();
		this.threads.advance(Duration.ofNanos(1));
		assertThat(this.consul.sessions).isEmpty();
		assertThat(this.losses).containsExactly("session-1 " + LockLostReason.SHUTDOWN);
		int renewals = this.consul.renewals.size();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(this.consul.renewals).hasSize(renewals);
		assertThat(this.pool.lease()).isNotSameAs(keeper);
	}

	@Test
	void eachIdleKeeperHasItsOwnMinute() {
		SessionKeeper one = leaseWithSession();
		SessionKeeper other = leaseWithSession();
		SessionKeeper third = leaseWithSession();
		this.pool.giveBack(one);
		this.threads.advance(Duration.ofSeconds(20));
		this.pool.giveBack(other);
		this.threads.advance(Duration.ofSeconds(20));
		this.pool.giveBack(third);
		assertThat(this.pool.lease()).isSameAs(third);
		this.threads.advance(Duration.ofSeconds(20));
		assertThat(this.consul.destroyed).containsExactly("session-1");
		this.threads.advance(Duration.ofSeconds(20));
		assertThat(this.consul.destroyed).containsExactly("session-1", "session-2");
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(this.consul.sessions).containsExactly("session-3");
		this.pool.giveBack(third);
		this.threads.advance(MAX_IDLE);
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void aReusedKeeperIsIdleAnewWhenItIsGivenBackAgain() {
		SessionKeeper keeper = leaseWithSession();
		this.pool.giveBack(keeper);
		this.threads.advance(Duration.ofSeconds(50));
		this.pool.giveBack(this.pool.lease());
		this.threads.advance(Duration.ofSeconds(50));
		assertThat(this.consul.sessions).containsExactly("session-1");
		this.threads.advance(Duration.ofSeconds(10));
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void aSessionThatEndedWhileIdleIsReplacedAtItsNextUse() {
		SessionKeeper keeper = leaseWithSession();
		this.pool.giveBack(keeper);
		this.consul.sessions.clear();
		this.threads.advance(Duration.ofSeconds(30));
		assertThat(this.losses).containsExactly("session-1 " + LockLostReason.SESSION_INVALIDATED);
		assertThat(this.pool.lease()).isSameAs(keeper);
		assertThat(session(keeper).id()).isEqualTo("session-2");
		assertThat(session(keeper).isLive()).isTrue();
	}

	@Test
	void aSessionPastItsDeadlineAfterAPauseIsReplacedAtItsNextUse() {
		SessionKeeper keeper = leaseWithSession();
		this.pool.giveBack(keeper);
		this.threads.stopProcessFor(Duration.ofSeconds(40));
		assertThat(session(this.pool.lease()).id()).isEqualTo("session-2");
		assertThat(this.losses).containsExactly("session-1 " + LockLostReason.DEADLINE_PASSED);
	}

	@Test
	void whoSuspectsTheEndOfASessionHasThatOneRenewedAtOnce() {
		ConsulSession session = session(this.pool.lease());
		leaseWithSession();
		int renewals = this.consul.renewals.size();
		this.pool.verify(session);
		this.threads.runDue();
		assertThat(this.consul.renewals).hasSize(renewals + 1);
		this.consul.sessions.remove(session.id());
		this.pool.verify(session);
		this.threads.runDue();
		assertThat(this.losses).containsExactly("session-1 " + LockLostReason.SESSION_INVALIDATED);
	}

	@Test
	void aKeeperIsNotGivenToTwoWhenItIsGivenBackTwice() {
		SessionKeeper keeper = this.pool.lease();
		this.pool.giveBack(keeper);
		this.pool.giveBack(keeper);
		assertThat(this.pool.lease()).isSameAs(keeper);
		assertThat(this.pool.lease()).isNotSameAs(keeper);
	}

	@Test
	void aKeeperOfSomebodyElseIsNotTaken() {
		SessionKeeper foreign = new SessionKeeper(this.consul, SessionSettings.DEFAULTS, (session, reason) -> {
		}, this.threads);
		this.pool.giveBack(foreign);
		assertThat(this.pool.lease()).isNotSameAs(foreign);
	}

	@Test
	void aKeeperThatItsUserClosedLosesItsSessionAndIsNotReused() {
		SessionKeeper keeper = leaseWithSession();
		SessionKeeper other = leaseWithSession();
		keeper.close();
		this.pool.giveBack(keeper);
		this.threads.runDue();
		assertThat(this.consul.destroyed).containsExactly("session-1");
		assertThat(this.pool.lease()).isNotSameAs(keeper);
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(session(other).id()).isEqualTo("session-2");
	}

	@Test
	void aSessionThatIsIdleForTooLongIsDestroyedOnceConsulAnswers() {
		this.pool.giveBack(leaseWithSession());
		this.consul.onDestroy = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(MAX_IDLE.plusSeconds(5));
		assertThat(this.consul.sessions).containsExactly("session-1");
		this.consul.onDestroy = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofSeconds(5));
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void aCreationThatHangsDelaysNoRenewalOfTheOthers() {
		SessionKeeper keeper = leaseWithSession();
		ConsulSession session = session(keeper);
		this.consul.onCreate = this.consul.slow(Duration.ofMinutes(2));
		CompletableFuture<ConsulSession> slow = this.pool.lease().session();
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(slow).isCompleted();
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void withoutAThreadForTheLookNoKeeperIsForgotten() {
		SessionKeeper one = leaseWithSession();
		SessionKeeper other = leaseWithSession();
		this.threads.withoutThreadForNext(VirtualKeeperThreads.Lane.ALARM);
		assertThatThrownBy(() -> this.pool.giveBack(one)).isInstanceOf(InternalError.class);
		this.pool.giveBack(other);
		this.threads.advance(MAX_IDLE);
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void closingEndsLeasedAndIdleSessionsAndTellsNobody() {
		SessionKeeper leased = leaseWithSession();
		ConsulSession session = session(leased);
		this.pool.giveBack(leaseWithSession());
		this.pool.lease();
		CompletableFuture<ConsulSession> waiter = this.pool.lease().session();
		this.pool.close();
		assertThat(this.consul.sessions).isEmpty();
		assertThat(session.isLive()).isFalse();
		assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
		assertThatThrownBy(waiter::join).hasCauseInstanceOf(ConsulUnavailableException.class)
			.hasMessageContaining("closed");
		assertThatThrownBy(() -> leased.session().join()).hasCauseInstanceOf(ConsulUnavailableException.class);
		this.pool.giveBack(leased);
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(this.pool::lease)
			.withMessageContaining("closed");
		this.pool.close();
		assertThat(this.consul.destroyed).hasSize(2);
		assertThat(this.losses).isEmpty();
	}

	@Test
	void closingTakesNoLongerForManySessionsThanForOne() {
		for (int i = 0; i < 20; i++) {
			leaseWithSession();
		}
		this.consul.onDestroy = this.consul.hanging();
		Duration before = this.threads.elapsed();
		this.pool.close();
		assertThat(this.consul.destroyed).hasSize(20);
		assertThat(this.threads.elapsed().minus(before)).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void closingDestroysWhatWasLostBeforeAndNotYetDestroyed() {
		leaseWithSession();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		this.consul.onDestroy = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(SPAN.plusSeconds(1));
		assertThat(this.losses).containsExactly("session-1 " + LockLostReason.DEADLINE_PASSED);
		this.consul.onDestroy = ScriptedConsul.NORMAL;
		this.pool.close();
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void closingDuringACreationDestroysWhatWasCreated() {
		CompletableFuture<ConsulSession> waiter = this.pool.lease().session();
		this.consul.afterCreate = this.pool::close;
		this.threads.runDue();
		assertThat(waiter).isCompletedExceptionally();
		assertThat(this.consul.created).hasSize(1);
		assertThat(this.consul.sessions).isEmpty();
	}

	@Test
	void closingOnAnInterruptedThreadStillDestroysAllAndLeavesTheInterrupt() {
		leaseWithSession();
		leaseWithSession();
		Thread.currentThread().interrupt();
		this.pool.close();
		assertThat(Thread.currentThread().isInterrupted()).isTrue();
		assertThat(this.consul.sessions).isEmpty();
	}

	private SessionKeeper leaseWithSession() {
		SessionKeeper keeper = this.pool.lease();
		session(keeper);
		return keeper;
	}

	private ConsulSession session(SessionKeeper keeper) {
		CompletableFuture<ConsulSession> session = keeper.session();
		this.threads.runDue();
		return session.join();
	}

}
