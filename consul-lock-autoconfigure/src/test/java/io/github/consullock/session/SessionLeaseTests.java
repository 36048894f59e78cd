package io.github.consullock.session;

import java.time.Duration;

import io.github.consullock.LockLostReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class SessionLeaseTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final Duration MARGIN = Duration.ofSeconds(1);

	private static final long SPAN = TTL.minus(MARGIN).toNanos();

	private static final long SECOND = Duration.ofSeconds(1).toNanos();

	@ParameterizedTest
	@ValueSource(longs = { 0, 1_000_000, -5_000_000_000L, Long.MAX_VALUE, Long.MAX_VALUE - 4_000_000_000L,
			Long.MIN_VALUE, Long.MIN_VALUE + 1 })
	void livesUntilTheTtlLessTheMarginAfterItWasSentWhateverTheClockShows(long sentAt) {
		SessionLease lease = new SessionLease(sentAt, TTL, MARGIN);
		assertThat(lease.isLive(sentAt)).isTrue();
		assertThat(lease.remaining(sentAt + SECOND)).isEqualTo(Duration.ofSeconds(8));
		assertThat(lease.isLive(sentAt + SPAN - 1)).isTrue();
		assertThat(lease.remaining(sentAt + SPAN - 1)).isEqualTo(Duration.ofNanos(1));
		assertThat(lease.reason()).isEmpty();
		assertThat(lease.isLive(sentAt + SPAN)).isFalse();
		assertThat(lease.remaining(sentAt + SPAN)).isZero();
	}

	@ParameterizedTest
	@ValueSource(longs = { 0, -5_000_000_000L, Long.MAX_VALUE - 4_000_000_000L })
	void countsFromWhenARenewalWasSentNotFromItsAnswer(long start) {
		SessionLease lease = new SessionLease(start, TTL, MARGIN);
		assertThat(lease.renewed(start + 2 * SECOND, start + 6 * SECOND)).isTrue();
		assertThat(lease.remaining(start + 6 * SECOND)).isEqualTo(Duration.ofSeconds(5));
	}

	@Test
	void anOlderRenewalDoesNotShortenIt() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		assertThat(lease.renewed(4 * SECOND, 5 * SECOND)).isTrue();
		assertThat(lease.renewed(2 * SECOND, 5 * SECOND)).isTrue();
		assertThat(lease.remaining(5 * SECOND)).isEqualTo(Duration.ofSeconds(8));
	}

	@Test
	void aRenewalWhoseAnswerComesAtTheDeadlineIsTooLate() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		assertThat(lease.renewed(SPAN - SECOND, SPAN)).isFalse();
		assertThat(lease.isLive(SPAN)).isFalse();
		assertThat(lease.reason()).hasValue(LockLostReason.DEADLINE_PASSED);
	}

	@Test
	void aLeaseThatWasSeenPastItsDeadlineIsNotRevivedByAnAnswerHandledLater() {
		SessionLease looked = new SessionLease(0, TTL, MARGIN);
		assertThat(looked.isLive(SPAN)).isFalse();
		assertThat(looked.renewed(SPAN - SECOND, SPAN - 1)).isFalse();
		assertThat(looked.reason()).hasValue(LockLostReason.DEADLINE_PASSED);

		SessionLease asked = new SessionLease(0, TTL, MARGIN);
		assertThat(asked.remaining(SPAN)).isZero();
		assertThat(asked.renewed(SPAN - SECOND, SPAN - 1)).isFalse();
	}

	@Test
	void aClockThatWasReadEarlierDoesNotReviveIt() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		assertThat(lease.isLive(SPAN)).isFalse();
		assertThat(lease.isLive(SPAN - 1)).isFalse();
		assertThat(lease.remaining(SPAN - 1)).isZero();
	}

	@Test
	void endsOnceAndKeepsTheFirstReason() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		assertThat(lease.end(LockLostReason.SESSION_INVALIDATED)).isTrue();
		assertThat(lease.end(LockLostReason.SHUTDOWN)).isFalse();
		assertThat(lease.expire(2 * SPAN)).isFalse();
		assertThat(lease.isLive(SECOND)).isFalse();
		assertThat(lease.remaining(SECOND)).isZero();
		assertThat(lease.reason()).hasValue(LockLostReason.SESSION_INVALIDATED);
	}

	@Test
	void aRenewalDoesNotReviveWhatHasEnded() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		lease.end(LockLostReason.SESSION_INVALIDATED);
		assertThat(lease.renewed(SECOND, 2 * SECOND)).isFalse();
		assertThat(lease.isLive(2 * SECOND)).isFalse();
	}

	@Test
	void expiresOnceAndOnlyPastItsDeadline() {
		SessionLease lease = new SessionLease(0, TTL, MARGIN);
		assertThat(lease.expire(SPAN - 1)).isFalse();
		assertThat(lease.reason()).isEmpty();
		assertThat(lease.expire(SPAN)).isTrue();
		assertThat(lease.expire(SPAN)).isFalse();
		assertThat(lease.end(LockLostReason.SESSION_INVALIDATED)).isFalse();
		assertThat(lease.reason()).hasValue(LockLostReason.DEADLINE_PASSED);
	}

}
