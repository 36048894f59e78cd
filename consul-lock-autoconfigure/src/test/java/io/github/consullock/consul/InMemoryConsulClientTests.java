package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What goes by the clock, and so would take too long with a real Consul.
 */
@Timeout(60)
class InMemoryConsulClientTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1000);

	private final InMemoryConsulClient client = new InMemoryConsulClient(this.nanos::get);

	@Test
	void sessionEndsAtTwiceItsTtl() {
		String session = session(Duration.ZERO);
		advance(Duration.ofMillis(19999));
		assertThat(this.client.watchSession(session, 0, SECONDS).visible()).isTrue();
		advance(Duration.ofMillis(1));
		assertThat(this.client.watchSession(session, 0, SECONDS).visible()).isFalse();
		assertThat(this.client.renewSession(session)).isEqualTo(new RenewalOutcome.Ended());
	}

	@Test
	void renewalStartsItsTimeAnew() {
		String session = session(Duration.ZERO);
		advance(Duration.ofSeconds(19));
		this.client.renewSession(session);
		advance(Duration.ofSeconds(19));
		assertThat(this.client.renewSession(session)).isInstanceOf(RenewalOutcome.Renewed.class);
	}

	@Test
	void sessionWithoutTtlDoesNotEndByItself() {
		String session = this.client.createSession(new SessionRequest("test", Duration.ZERO, Duration.ZERO,
				SessionBehavior.RELEASE, List.of(), List.of()));
		advance(Duration.ofDays(1000));
		assertThat(this.client.renewSession(session)).isInstanceOf(RenewalOutcome.Renewed.class);
	}

	@Test
	void expiryClosesKeysForLockDelayAndNoLonger() {
		String session = session(Duration.ofSeconds(30));
		this.client.transact(List.of(KvOperation.lock("k", session, "v", 1)), SECONDS);
		advance(Duration.ofSeconds(20));
		String other = session(Duration.ZERO);
		TransactionOutcome early = this.client.transact(List.of(KvOperation.lock("k", other, "v", 1)), SECONDS);
		assertThat(((RolledBack) early).failedFor(FailureReason.IN_LOCK_DELAY)).isTrue();
		advance(Duration.ofSeconds(15));
		this.client.renewSession(other);
		advance(Duration.ofSeconds(15));
		assertThat(this.client.transact(List.of(KvOperation.lock("k", other, "v", 1)), SECONDS))
			.isInstanceOf(Committed.class);
	}

	@Test
	void lockDelayIsAMinuteAtMost() {
		String session = session(Duration.ofMinutes(10));
		this.client.transact(List.of(KvOperation.lock("k", session, "v", 1)), SECONDS);
		this.client.destroySession(session);
		advance(Duration.ofSeconds(60));
		String other = session(Duration.ZERO);
		assertThat(this.client.transact(List.of(KvOperation.lock("k", other, "v", 1)), SECONDS))
			.isInstanceOf(Committed.class);
	}

	@Test
	void watchIsWokenByExpiry() throws Exception {
		String session = session(Duration.ZERO);
		this.client.transact(List.of(KvOperation.lock("k", session, "v", 1)), SECONDS);
		long index = this.client.watch("k", 0, SECONDS).index();
		CompletableFuture<KvSnapshot> freed = CompletableFuture
			.supplyAsync(() -> this.client.watch("k", index, Duration.ofSeconds(60)));
		advance(Duration.ofSeconds(20));
		KvEntry entry = freed.get(40, TimeUnit.SECONDS).entry();
		assertThat(entry).isNotNull();
		assertThat(entry.session()).isNull();
	}

	@Test
	void clientsOfOneStoreSeeEachOtherAndCloseByThemselves() {
		InMemoryConsulClient other = this.client.newClient();
		String session = session(Duration.ZERO);
		this.client.transact(List.of(KvOperation.lock("k", session, "v", 1)), SECONDS);
		this.client.close();
		assertThat(other.read("k", SECONDS).orElseThrow().session()).isEqualTo(session);
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> this.client.read("k", SECONDS));
	}

	private String session(Duration lockDelay) {
		return this.client.createSession(new SessionRequest("test", Duration.ofSeconds(10), lockDelay,
				SessionBehavior.RELEASE, List.of(), List.of()));
	}

	private void advance(Duration time) {
		this.nanos.addAndGet(time.toNanos());
	}

}
