package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A session of the caller's own, on a virtual clock: read, and nothing else.
 */
class BorrowedSessionTests {

	private static final String ID = "theirs";

	private static final Duration MARGIN = Duration.ofMillis(500);

	private final VirtualKeeperThreads threads = new VirtualKeeperThreads();

	private final ScriptedConsul consul = new ScriptedConsul(this.threads);

	private final List<Loss> losses = new ArrayList<>();

	private final SessionKeeper keeper = SessionKeeper.borrowing(this.consul, ID, MARGIN,
			(session, reason) -> this.losses.add(new Loss(session.id(), reason, this.threads.elapsed())), this.threads);

	@Test
	void nothingIsAskedOfConsulBeforeItIsNeeded() {
		this.threads.advance(Duration.ofMinutes(5));
		assertThat(this.consul.reads).isEmpty();
	}

	@Test
	void itIsReadEverySecondAndNeitherCreatedNorRenewedNorWatchedNorDestroyed() {
		ConsulSession session = session();
		this.threads.advance(Duration.ofMinutes(10));
		assertThat(session.id()).isEqualTo(ID);
		assertThat(session.isLive()).isTrue();
		assertThat(this.consul.reads).hasSizeBetween(600, 760);
		this.keeper.close();
		assertThat(session.isLive()).isFalse();
		assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
		assertThat(this.consul.sessions).containsExactly(ID);
		assertNothingWasChanged();
	}

	@ParameterizedTest
	@CsvSource({ "0, 9500", "3, 9500", "10, 9500", "25, 24500", "60, 59500", "90, 59500" })
	void itsDeadlineIsItsLockDelayAfterTheLastLookWasBegun(int lockDelaySeconds, long millis) {
		this.consul.lockDelay = Duration.ofSeconds(lockDelaySeconds);
		this.consul.onRead = this.consul.slow(Duration.ofMillis(700));
		ConsulSession session = session();
		assertThat(session.remaining()).isEqualTo(Duration.ofMillis(millis - 700));
		this.threads.advance(Duration.ofMinutes(1));
		this.consul.onRead = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofSeconds(2));
		Duration lastLook = this.consul.reads.get(this.consul.reads.size() - 1);
		this.consul.onRead = this.consul.hanging();
		this.threads.advance(Duration.ofMinutes(2));
		assertThat(this.losses)
			.containsExactly(new Loss(ID, LockLostReason.DEADLINE_PASSED, lastLook.plusMillis(millis)));
		assertThat(session.isLive()).isFalse();
		assertNothingWasChanged();
	}

	@Test
	void itsEndIsToldOnceAndWhoAsksForItAfterwardsIsToldWhatToDo() {
		ConsulSession session = session();
		this.consul.sessions.clear();
		this.threads.advance(Duration.ofSeconds(1));
		assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
		assertThat(session.lostReason()).hasValue(LockLostReason.SESSION_INVALIDATED);
		this.threads.advance(Duration.ofMinutes(5));
		assertThat(this.losses).hasSize(1);
		for (int i = 0; i < 2; i++) {
			assertRefused(this.keeper.session());
		}
		assertNothingWasChanged();
	}

	@Test
	void oneThatIsNotShownIsRefused() {
		this.consul.sessions.add(ID);
		this.consul.visible = false;
		assertRefused(this.keeper.session());
		assertThat(this.keeper.state()).isEqualTo(SessionKeeper.State.NONE);
		assertThat(this.losses).isEmpty();
		assertNothingWasChanged();
	}

	@Test
	void anOutageShorterThanTheDeadlineIsOutlasted() {
		this.consul.lockDelay = Duration.ofSeconds(10);
		ConsulSession session = session();
		this.threads.advance(Duration.ofMinutes(1));
		this.consul.onRead = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(Duration.ofMillis(8300));
		this.consul.onRead = ScriptedConsul.NORMAL;
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(session.isLive()).isTrue();
		assertThat(this.losses).isEmpty();
	}

	@Test
	void anErrorOnTheWayIsToldToTheOneWhoAsks() {
		this.consul.sessions.add(ID);
		this.consul.onRead = ScriptedConsul.UNAVAILABLE;
		CompletableFuture<ConsulSession> asked = this.keeper.session();
		this.threads.runDue();
		assertThatThrownBy(asked::join).hasCauseInstanceOf(ConsulUnavailableException.class);
		this.consul.onRead = ScriptedConsul.NORMAL;
		assertThat(session().isLive()).isTrue();
	}

	@Test
	void oneThatWasOutOfReachAndIsSeenAgainIsKeptAgain() {
		ConsulSession first = session();
		this.consul.onRead = ScriptedConsul.UNAVAILABLE;
		this.threads.advance(Duration.ofMinutes(1));
		this.consul.onRead = ScriptedConsul.NORMAL;
		ConsulSession second = session();
		assertThat(second.id()).isEqualTo(ID);
		assertThat(second.isLive()).isTrue();
		assertThat(first.isLive()).isFalse();
		this.threads.advance(Duration.ofMinutes(1));
		assertThat(second.isLive()).isTrue();
		assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.DEADLINE_PASSED);
		assertNothingWasChanged();
	}

	@Test
	void whoSuspectsItsEndHasItReadAtOnce() {
		ConsulSession session = session();
		this.consul.sessions.clear();
		this.keeper.verify(session);
		this.threads.runDue();
		assertThat(this.losses).containsExactly(new Loss(ID, LockLostReason.SESSION_INVALIDATED, Duration.ZERO));
	}

	@ParameterizedTest
	@ValueSource(longs = { -1, 2501 })
	void aMarginOutOfBoundsIsRefused(long millis) {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> SessionKeeper.borrowing(this.consul, ID, Duration.ofMillis(millis), (session, reason) -> {
			}, this.threads))
			.withMessageContaining(millis + "ms")
			.withMessageContaining("2500ms");
	}

	@Test
	void aBlankIdIsRefused() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> SessionKeeper.borrowing(this.consul, " ", MARGIN, (session, reason) -> {
			}, this.threads))
			.withMessageContaining("blank");
	}

	private ConsulSession session() {
		this.consul.sessions.add(ID);
		CompletableFuture<ConsulSession> session = this.keeper.session();
		this.threads.runDue();
		return session.join();
	}

	private void assertRefused(CompletableFuture<ConsulSession> session) {
		this.threads.runDue();
		assertThatThrownBy(session::join).cause()
			.isInstanceOf(ConsulRefusedException.class)
			.hasMessageContaining("no session " + ID)
			.hasMessageContaining("create another session")
			.hasMessageContaining("session_prefix");
	}

	private void assertNothingWasChanged() {
		assertThat(this.consul.created).isEmpty();
		assertThat(this.consul.renewals).isEmpty();
		assertThat(this.consul.destroyed).isEmpty();
		assertThat(this.consul.watchedIndexes).isEmpty();
		assertThat(this.threads.answerWatch()).isFalse();
	}

	private record Loss(String session, LockLostReason reason, Duration at) {
	}

}
