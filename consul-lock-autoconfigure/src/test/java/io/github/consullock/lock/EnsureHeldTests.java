package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.session.ConsulSession;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.fail;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.withSettings;

class EnsureHeldTests {

	private static final int ROUNDS = 100_000;

	private final ConsulSession session = mock(withSettings().stubOnly());

	private final Holds owner = mock(withSettings().stubOnly());

	/** Asked while the hold is just being told of its session's end. */
	@Test
	void aLossNeverPassesForARelease() throws Exception {
		given(this.session.isLive()).willReturn(false);
		Hold[] holds = new Hold[ROUNDS];
		for (int i = 0; i < ROUNDS; i++) {
			holds[i] = hold();
		}
		AtomicInteger round = new AtomicInteger(-1);
		FutureTask<Void> loss = new FutureTask<>(() -> {
			for (int i = 0; i < ROUNDS; i++) {
				while (round.get() < i) {
					Thread.onSpinWait();
				}
				holds[i].markLost(LockLostReason.SESSION_INVALIDATED);
			}
			return null;
		});
		new Thread(loss).start();
		for (int i = 0; i < ROUNDS; i++) {
			round.set(i);
			for (int spin = i % 64; spin > 0; spin--) {
				Thread.onSpinWait();
			}
			try {
				holds[i].ensureHeld();
				fail("neither lost nor released");
			}
			catch (LockLostException ex) {
				assertThat(ex.reason()).isNotNull();
			}
		}
		loss.get();
	}

	@Test
	void aReleaseIsNoLoss() {
		Hold hold = hold();
		given(this.session.isLive()).willReturn(true);
		hold.ensureHeld();
		hold.release();
		assertThatIllegalStateException().isThrownBy(hold::ensureHeld).withMessageContaining("released");
	}

	private Hold hold() {
		KeyLock kind = KeyLock.of("locks/", List.of("a"));
		LockRequest request = new LockRequest(kind, () -> "", true, Duration.ZERO, false, Duration.ZERO, null);
		Claimant claimant = kind.claimant(this.session, request);
		Hold.Grant grant = new Hold.Grant(claimant, 1, kind.unseen(), Turn.Chain.begin());
		return new Hold(this.owner, request, grant, new Place(kind, new LocalQueues(), null));
	}

}
