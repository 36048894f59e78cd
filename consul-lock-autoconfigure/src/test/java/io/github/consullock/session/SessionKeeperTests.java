package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * How a session is made, renewed and watched, on a virtual clock.
 */
class SessionKeeperTests {

	private static final Duration TENTH = SessionSettings.DEFAULTS.ttl().dividedBy(10);

	private final VirtualKeeperThreads threads = new VirtualKeeperThreads();

	private final ScriptedConsul consul = new ScriptedConsul(this.threads);

	private final List<LockLostReason> losses = new ArrayList<>();

	private final SessionKeeper keeper = new SessionKeeper(this.consul, SessionSettings.DEFAULTS,
			(session, reason) -> this.losses.add(reason), this.threads);

	@Test
	void nothingIsAskedOfConsulBeforeASessionIsNeeded() {
		this.threads.advance(Duration.ofMinutes(5));
		assertThat(this.consul.created).isEmpty();
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.NONE);
	}

	@Test
	void oneSessionIsCreatedForManyCallers() {
		List<CompletableFuture<ConsulSession>> callers = new ArrayList<>();
		for (int i = 0; i < 20; i++) {
			callers.add(this.keeper.session());
		}
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.CREATING);
		assertThat(callers).noneMatch(CompletableFuture::isDone);
		this.threads.runDue();
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.LIVE);
		assertThat(this.consul.created).containsExactly("session-1");
		assertThat(callers).extracting(CompletableFuture::join)
			.containsOnly(this.keeper.session().join())
			.extracting(ConsulSession::id)
			.containsOnly("session-1");
	}

	@Test
	void aCallerWhoGivesUpTakesNothingFromTheOthers() {
		CompletableFuture<ConsulSession> impatient = this.keeper.session();
		CompletableFuture<ConsulSession> patient = this.keeper.session();
		impatient.cancel(true);
		this.threads.runDue();
		assertThat(patient.join().isLive()).isTrue();
	}

	@Test
	void withoutAThreadForTheCreationTheNextCallerStartsItAnew() {
		this.threads.withoutThreadForNext(VirtualKeeperThreads.Lane.CREATION);
		assertThatThrownBy(this.keeper::session).isInstanceOf(InternalError.class);
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.NONE);
		ConsulSession session = session();
		assertThat(session.isLive()).isTrue();
		assertThat(this.consul.created).containsExactly(session.id());
	}

	@ParameterizedTest
	@EnumSource(names = { "WATCH", "ALARM" })
	void aSessionThatCannotBeWatchedIsNotOffered(VirtualKeeperThreads.Lane lane) {
		this.threads.withoutThreadForNext(lane);
		CompletableFuture<ConsulSession> failed = this.keeper.session();
		this.threads.runDue();
		assertThatThrownBy(failed::join).hasRootCauseInstanceOf(InternalError.class);
		assertThat(this.consul.destroyed).containsExactly("session-1");
		assertThat(session().id()).isEqualTo("session-2");
	}

	@Test
	void anErrorInARenewalDoesNotEndTheRenewals() {
		ConsulSession session = session();
		this.consul.onRenew = () -> {
			this.consul.onRenew = ScriptedConsul.NORMAL;
			throw new LinkageError("Thrown by the test");
		};
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void anErrorInALookDoesNotEndTheWatch() {
		session();
		this.consul.onWatch = () -> {
			throw new LinkageError("Thrown by the test");
		};
		assertThat(this.threads.answerWatch()).isTrue();
		this.consul.onWatch = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(this.threads.answerWatch()).isTrue();
	}

	@Test
	void theDeadlineCountsFromWhenTheFirstRenewalWasSent() {
		this.consul.onCreate = this.consul.slow(Duration.ofSeconds(3));
		this.consul.onRenew = this.consul.slow(Duration.ofSeconds(1));
		ConsulSession session = session();
		assertThat(this.consul.renewals).containsExactly(Duration.ofSeconds(3));
		assertThat(session.remaining()).isEqualTo(Duration.ofMillis(23_500));
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, 40, 1500 })
	void itIsRenewedEveryTenthOfTheTtlHoweverLongAnAnswerTakes(long millis) {
		this.consul.onRenew = this.consul.slow(Duration.ofMillis(millis));
		ConsulSession session = session();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(session.isLive()).isTrue();
		assertThat(this.consul.created).hasSize(1);
		assertThat(pausesBetweenRenewals())
			.allSatisfy((pause) -> assertThat(pause).isBetween(TENTH.multipliedBy(8).dividedBy(10), TENTH));
		assertThat(pausesBetweenRenewals()).hasSizeBetween(239, 301);
	}

	@Test
	void renewalsOfSeveralInstancesDoNotKeepInStep() {
		session();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(pausesBetweenRenewals().stream().distinct()).hasSizeGreaterThan(100);
	}

	/**
	 * The worst case: the outage begins just before a renewal, and ends just after one
	 * was sent that goes on hanging.
	 */
	@ParameterizedTest
	@ValueSource(longs = { 0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000, 20_000 })
	void anOutageOfTheTtlLessATenthLessOneRequestLessTheMarginIsOutlasted(long refusingMillis) {
		ConsulSession session = session();
		this.threads.advance(Duration.ofSeconds(1));
		Outage outage = new Outage(Duration.ofMillis(refusingMillis), Duration.ofMillis(19_999));
		this.consul.onRenew = outage;
		this.threads.advance(Duration.ofSeconds(60));
		assertThat(outage.requests).isGreaterThan(8);
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
		assertThat(this.consul.created).hasSize(1);
	}

	@Test
	void anUnwatchedSessionIsRenewedAndItsEndNoticedByThatAlone() {
		SessionKeeper unwatched = SessionKeeper.unwatched(this.consul, SessionSettings.DEFAULTS,
				(session, reason) -> this.losses.add(reason), this.threads);
		CompletableFuture<ConsulSession> session = unwatched.session();
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(session.join().isLive()).isTrue();
		assertThat(this.threads.answerWatch()).isFalse();
		this.consul.sessions.clear();
		this.threads.advance(TENTH);
		assertThat(session.join().isLive()).isFalse();
		assertThat(this.losses).containsExactly(LockLostReason.SESSION_INVALIDATED);
		assertThat(this.consul.watchedIndexes).isEmpty();
	}

	@Test
	void aWatchThatShowsNoSessionHasItRenewedAtOnceAndProvesNothing() {
		ConsulSession session = session();
		this.consul.visible = false;
		this.threads.advance(Duration.ofSeconds(1));
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.consul.renewals).last().isEqualTo(Duration.ofSeconds(1));
		assertThat(this.consul.renewals).hasSize(2);
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void aSessionThatIsNotShownIsRenewedUntilThereIsAnAnswer() {
		session();
		this.consul.sessions.clear();
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		assertThat(this.threads.answerWatch()).isTrue();
		this.threads.runDue();
		assertThat(this.losses).isEmpty();
		this.consul.onRenew = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofMillis(250));
		assertThat(this.losses).containsExactly(LockLostReason.SESSION_INVALIDATED);
	}

	@Test
	void aWatchThatShowedNoSessionLooksAgainButSeldom() {
		session();
		this.consul.visible = false;
		assertThat(this.threads.answerWatch()).isTrue();
		this.threads.advance(Duration.ofSeconds(19));
		assertThat(this.threads.answerWatch()).isFalse();
		this.threads.advance(Duration.ofSeconds(1));
		this.consul.visible = true;
		assertThat(this.threads.answerWatch()).isTrue();
		this.threads.advance(Duration.ofSeconds(1));
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.consul.watchedIndexes).containsExactly(0L, 0L, 10L);
	}

	@Test
	void theWatchTellsOfTheEndAtOnceOnItsOwnThread() {
		session();
		this.threads.answerWatch();
		this.threads.advance(Duration.ofSeconds(1));
		this.consul.sessions.clear();
		this.threads.answerWatch();
		assertThat(this.losses).containsExactly(LockLostReason.SESSION_INVALIDATED);
		assertThat(this.threads.elapsed()).isEqualTo(Duration.ofSeconds(1));
		assertThat(this.threads.answerWatch()).isFalse();
	}

	@Test
	void aServerThatAnswersWatchesWithoutWaitingIsNotAskedMoreThanTenTimesASecond() {
		session();
		// The first look gives the index for the second, which follows at once.
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.threads.answerWatch()).isFalse();
		this.threads.advance(Duration.ofMillis(100));
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.threads.answerWatch()).isFalse();
	}

	@Test
	void anIndexThatWentBackwardsIsNotWaitedFor() {
		session();
		this.threads.answerWatch();
		this.consul.index = 3;
		this.threads.advance(Duration.ofSeconds(1));
		this.threads.answerWatch();
		this.threads.advance(Duration.ofSeconds(1));
		this.threads.answerWatch();
		assertThat(this.consul.watchedIndexes).containsExactly(0L, 10L, 0L);
	}

	@Test
	void aWatchThatFailsIsRepeatedAfterASecondAndOneThatIsRefusedSeldom() {
		ConsulSession session = session();
		this.consul.onWatch = ScriptedConsul.UNAVAILABLE;
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(this.threads.answerWatch()).isFalse();
		this.threads.advance(Duration.ofSeconds(1));
		this.consul.onWatch = ScriptedConsul.REFUSED;
		assertThat(this.threads.answerWatch()).isTrue();
		this.threads.advance(Duration.ofSeconds(19));
		assertThat(this.threads.answerWatch()).isFalse();
		this.threads.advance(Duration.ofSeconds(1));
		assertThat(this.threads.answerWatch()).isTrue();
		assertThat(session.isLive()).isTrue();
	}

	@Test
	void whoSuspectsTheEndWhileARenewalIsUnderWayGetsAnotherOne() {
		ConsulSession session = session();
		this.consul.onRenew = () -> {
			this.consul.onRenew = ScriptedConsul.NORMAL;
			this.threads.advance(Duration.ofSeconds(1));
			this.keeper.verify(session);
		};
		this.threads.advance(TENTH);
		this.threads.runDue();
		assertThat(pausesBetweenRenewals()).last().isEqualTo(Duration.ofSeconds(1));
		this.threads.advance(TENTH.dividedBy(2));
		assertThat(this.consul.renewals).hasSize(3);
	}

	@Test
	void manySuspicionsMakeOneRenewal() {
		ConsulSession session = session();
		for (int i = 0; i < 100; i++) {
			this.keeper.verify(session);
		}
		this.threads.advance(Duration.ofSeconds(1));
		assertThat(this.consul.renewals).hasSize(2);
	}

	@Test
	void aTtlThatTheServerDidNotTakeIsRefusedAndTheSessionDestroyed() {
		this.consul.takenTtl = Duration.ZERO;
		assertFails(this.keeper.session(), ConsulRefusedException.class, "wanted a TTL of 25s");
		assertThat(this.consul.sessions).isEmpty();
		assertThat(this.consul.destroyed).containsExactly("session-1");
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.NONE);
		assertThat(this.losses).isEmpty();
	}

	@Test
	void aCreationThatFailsFailsAllWhoWaitAndTheNextCallTriesAnew() {
		this.consul.onCreate = ScriptedConsul.UNAVAILABLE;
		CompletableFuture<ConsulSession> one = this.keeper.session();
		CompletableFuture<ConsulSession> other = this.keeper.session();
		assertFails(one, ConsulUnavailableException.class, "No answer");
		assertFails(other, ConsulUnavailableException.class, "No answer");
		this.consul.onCreate = ScriptedConsul.REFUSED;
		assertFails(this.keeper.session(), ConsulRefusedException.class, "Permission denied");
		this.consul.onCreate = ScriptedConsul.NORMAL;
		assertThat(session().isLive()).isTrue();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void aCreationWhoseAnswerIsLostFailsAndTheNextCallCreatesAnother() {
		this.consul.afterCreate = ScriptedConsul.UNAVAILABLE;
		assertFails(this.keeper.session(), ConsulUnavailableException.class, "No answer");
		this.consul.afterCreate = ScriptedConsul.NORMAL;
		assertThat(session().id()).isEqualTo("session-2");
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(this.keeper.session().join().id()).isEqualTo("session-2");
	}

	@Test
	void aSessionWhoseFirstRenewalFailsIsDestroyed() {
		this.consul.onRenew = ScriptedConsul.UNAVAILABLE;
		assertFails(this.keeper.session(), ConsulUnavailableException.class, "No answer");
		assertThat(this.consul.sessions).isEmpty();
		this.consul.onRenew = this.consul.sessions::clear;
		assertFails(this.keeper.session(), ConsulUnavailableException.class, "right after it was created");
		this.consul.onRenew = ScriptedConsul.NORMAL;
		assertThat(session().id()).isEqualTo("session-3");
	}

	@Test
	void anErrorInTheCreationFailsThoseWhoWait() {
		this.consul.afterCreate = () -> {
			throw new NoClassDefFoundError("tools/jackson/Missing");
		};
		assertFails(this.keeper.session(), NoClassDefFoundError.class, "Missing");
		this.consul.afterCreate = ScriptedConsul.NORMAL;
		assertThat(session().isLive()).isTrue();
	}

	private ConsulSession session() {
		CompletableFuture<ConsulSession> session = this.keeper.session();
		this.threads.runDue();
		return session.join();
	}

	private void assertFails(CompletableFuture<ConsulSession> session, Class<? extends Throwable> type,
			String message) {
		this.threads.runDue();
		assertThat(session).isDone();
		assertThatThrownBy(session::join).isInstanceOf(CompletionException.class)
			.cause()
			.isInstanceOf(type)
			.hasMessageContaining(message);
	}

	private List<Duration> pausesBetweenRenewals() {
		List<Duration> pauses = new ArrayList<>();
		for (int i = 1; i < this.consul.renewals.size(); i++) {
			pauses.add(this.consul.renewals.get(i).minus(this.consul.renewals.get(i - 1)));
		}
		return pauses;
	}

	/**
	 * Begins with the first request; refuses connections for a while, then lets requests
	 * hang.
	 */
	private final class Outage implements Runnable {

		private final Duration refusing;

		private final Duration whole;

		private Duration begin = Duration.ZERO;

		private int requests;

		Outage(Duration refusing, Duration whole) {
			this.refusing = refusing;
			this.whole = whole;
		}

		@Override
		public void run() {
			if (this.requests++ == 0) {
				this.begin = SessionKeeperTests.this.threads.elapsed();
			}
			Duration since = SessionKeeperTests.this.threads.elapsed().minus(this.begin);
			if (since.compareTo(this.refusing) < 0 && since.compareTo(this.whole) < 0) {
				ScriptedConsul.UNAVAILABLE.run();
			}
			if (since.compareTo(this.whole) < 0) {
				SessionKeeperTests.this.consul.hanging().run();
			}
		}

	}

}
