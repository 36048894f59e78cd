package io.github.consullock.session;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import io.github.consullock.PatientClient;
import io.github.consullock.PauseMeter;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * A keeper with real threads and a real Consul.
 */
@ConsulTest
class SessionKeeperConsulTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final SessionSettings SETTINGS = new SessionSettings("keeper-test", TTL, TTL,
			SessionBehavior.RELEASE, List.of(), List.of(), Duration.ZERO, false);

	/** As large as allowed, so that a busy machine does not eat it up. */
	private static final SessionSettings WIDE_MARGIN = new SessionSettings("keeper-test", TTL, TTL,
			SessionBehavior.RELEASE, List.of(), List.of(), Duration.ofMillis(2500), false);

	private static final Duration MAX_MARGIN = Duration.ofMillis(2500);

	private static final Duration AMPLE = Duration.ofSeconds(60);

	private final List<Loss> losses = new CopyOnWriteArrayList<>();

	private final List<Long> renewals = new CopyOnWriteArrayList<>();

	@Test
	void aSessionOutlivesTwiceItsTtl(ConsulServer consul) throws Exception {
		try (ConsulClient client = client(consul); SessionKeeper keeper = keeper(client)) {
			ConsulSession session = session(keeper);
			await().during(TTL.multipliedBy(2).plusSeconds(2)).atMost(AMPLE).until(session::isLive);
			assertThat(client.watchSession(session.id(), 0, Duration.ZERO).visible()).isTrue();
			assertThat(session(keeper)).isSameAs(session);
			assertThat(this.losses).isEmpty();
		}
	}

	@Test
	void aSessionDestroyedFromOutsideIsToldOnceByItsWatch(ConsulServer consul) throws Exception {
		try (ConsulClient client = client(consul); SessionKeeper keeper = keeper(client)) {
			ConsulSession session = session(keeper);
			client.destroySession(session.id());
			await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
			assertThat(session.isLive()).isFalse();
			ConsulSession next = session(keeper);
			assertThat(next.id()).isNotEqualTo(session.id());
			assertThat(next.isLive()).isTrue();
			assertThat(this.losses).extracting(Loss::session).containsExactly(session.id());
			assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
			assertThat(this.losses).extracting(Loss::onInterruptedThread).containsExactly(false);
		}
	}

	@Test
	void aFrozenConsulIsALossWithinTheTtlOfTheLastRenewalAndANewSessionCanBeHadAfterwards() throws Exception {
		try (ConsulServer consul = ConsulServer.start();
				ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build();
				SessionKeeper keeper = new SessionKeeper(recording(client, client), WIDE_MARGIN, this::lost);
				PauseMeter meter = new PauseMeter()) {
			ConsulSession session = session(keeper);
			consul.pause();
			await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
			long lastRenewal = this.renewals.get(this.renewals.size() - 1);
			assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.DEADLINE_PASSED);
			assertThat(Duration.ofNanos(this.losses.get(0).at() - lastRenewal))
				.isLessThanOrEqualTo(TTL.plus(meter.paused()));
			assertThat(session.isLive()).isFalse();

			consul.resume();
			ConsulSession next = await().atMost(AMPLE)
				.ignoreExceptions()
				.until(() -> session(keeper), ConsulSession::isLive);
			assertThat(next.id()).isNotEqualTo(session.id());
			await().atMost(AMPLE)
				.ignoreExceptionsInstanceOf(ConsulUnavailableException.class)
				.until(() -> client.renewSession(session.id()) instanceof RenewalOutcome.Ended);
			assertThat(this.losses).hasSize(1);
		}
	}

	@Test
	void closingWhileConsulIsFrozenFailsWhoWaitsAndEnds() {
		Set<Thread> before = keeperThreads();
		try (ConsulServer consul = ConsulServer.start();
				ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			consul.pause();
			CompletableFuture<ConsulSession> waiter;
			try (SessionKeeper keeper = keeper(client)) {
				waiter = keeper.session();
			}
			assertThatThrownBy(() -> waiter.get(0, TimeUnit.SECONDS)).cause()
				.isInstanceOf(ConsulUnavailableException.class)
				.hasMessageContaining("closed");
			awaitNoThreadsBut(before);
		}
	}

	@Test
	void closingLeavesNeitherSessionNorThread(ConsulServer consul) throws Exception {
		Set<Thread> before = keeperThreads();
		try (ConsulClient client = client(consul)) {
			ConsulSession session;
			try (SessionKeeper keeper = keeper(client)) {
				session = session(keeper);
				assertThat(keeperThreads()).anyMatch((thread) -> !before.contains(thread));
			}
			assertThat(PatientClient.answered(() -> client.renewSession(session.id())))
				.isInstanceOf(RenewalOutcome.Ended.class);
			assertThat(session.lostReason()).hasValue(LockLostReason.SHUTDOWN);
			assertThat(this.losses).isEmpty();
			awaitNoThreadsBut(before);
		}
	}

	/**
	 * Whoever may not see a session is answered as if it were gone. The watch goes
	 * without a token here, since one that may renew may see as well.
	 */
	@Test
	void aSessionThatMayNotBeSeenIsKeptAndItsEndIsNoticedByRenewing() throws Exception {
		try (ConsulServer consul = ConsulServer.builder().acl().start()) {
			String token = consul.createToken("session \"%s\" { policy = \"write\" }".formatted(consul.nodeName()));
			try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).token(() -> token).build();
					ConsulClient blind = client(consul);
					SessionKeeper keeper = new SessionKeeper(recording(client, blind), SETTINGS, this::lost)) {
				ConsulSession session = session(keeper);
				assertThat(blind.watchSession(session.id(), 0, Duration.ZERO).visible()).isFalse();
				await().atMost(AMPLE).until(() -> this.renewals.size() >= 4);
				assertThat(session.isLive()).isTrue();
				assertThat(this.losses).isEmpty();
				PatientClient.done(() -> client.destroySession(session.id()));
				await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
				assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
			}
		}
	}

	@Test
	void aBorrowedSessionIsLeftAsItIsAndItsEndIsTold(ConsulServer consul) throws Exception {
		try (ConsulClient client = client(consul)) {
			String id = createSession(client);
			try (SessionKeeper keeper = SessionKeeper.borrowing(client, id, MAX_MARGIN, this::lost)) {
				assertThat(borrowed(keeper).id()).isEqualTo(id);
				// Renewed by the caller.
				assertThat(PatientClient.answered(() -> client.renewSession(id)))
					.isInstanceOf(RenewalOutcome.Renewed.class);
			}
			assertThat(PatientClient.answered(() -> client.renewSession(id)))
				.isInstanceOf(RenewalOutcome.Renewed.class);
			assertThat(this.losses).isEmpty();
			try (SessionKeeper keeper = SessionKeeper.borrowing(client, id, MAX_MARGIN, this::lost)) {
				borrowed(keeper);
				PatientClient.done(() -> client.destroySession(id));
				await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
				assertThat(this.losses).extracting(Loss::session).containsExactly(id);
				assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
				assertThatThrownBy(() -> borrowed(keeper)).isInstanceOf(ExecutionException.class)
					.cause()
					.isInstanceOf(ConsulRefusedException.class)
					.hasMessageContaining(id.substring(0, 8))
					.hasMessageNotContaining(id)
					.hasMessageContaining("create another session");
			}
		}
	}

	@Test
	void aBorrowedSessionThatTheTokenMayNotSeeIsRefused() {
		try (ConsulServer consul = ConsulServer.builder().acl().start();
				ConsulClient owner = HttpConsulClient.builder(consul.httpUri()).token(consul::managementToken).build();
				ConsulClient blind = client(consul);
				SessionKeeper keeper = SessionKeeper.borrowing(blind, createSession(owner), MAX_MARGIN, this::lost)) {
			assertThatThrownBy(() -> borrowed(keeper)).cause()
				.isInstanceOf(ConsulRefusedException.class)
				.hasMessageContaining("session_prefix");
		}
	}

	@Test
	void aFrozenConsulIsTheEndOfABorrowedSessionWithinItsLockDelay() throws Exception {
		try (ConsulServer consul = ConsulServer.start();
				ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build();
				SessionKeeper keeper = SessionKeeper.borrowing(client, createSession(client), MAX_MARGIN, this::lost);
				PauseMeter meter = new PauseMeter()) {
			ConsulSession session = borrowed(keeper);
			consul.pause();
			long frozen = System.nanoTime();
			await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
			assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.DEADLINE_PASSED);
			assertThat(Duration.ofNanos(this.losses.get(0).at() - frozen))
				.isLessThanOrEqualTo(TTL.plus(meter.paused()));
			assertThat(session.isLive()).isFalse();
			consul.resume();
			assertThat(borrowed(keeper).isLive()).isTrue();
		}
	}

	@Test
	void anUnwatchedSessionOutlivesTwiceItsTtlAndItsEndIsTold(ConsulServer consul) throws Exception {
		try (ConsulClient client = client(consul);
				SessionKeeper keeper = SessionKeeper.unwatched(client, WIDE_MARGIN, this::lost)) {
			ConsulSession session = session(keeper);
			await().during(TTL.multipliedBy(2).plusSeconds(2)).atMost(AMPLE).until(session::isLive);
			PatientClient.done(() -> client.destroySession(session.id()));
			await().atMost(AMPLE).until(() -> !this.losses.isEmpty());
			assertThat(this.losses).extracting(Loss::reason).containsExactly(LockLostReason.SESSION_INVALIDATED);
		}
	}

	private static String createSession(ConsulClient client) {
		return client.createSession(SETTINGS.toRequest());
	}

	private static ConsulClient client(ConsulServer consul) {
		return new PatientClient(consul.httpUri());
	}

	private SessionKeeper keeper(ConsulClient client) {
		return new SessionKeeper(recording(client, client), SETTINGS, this::lost);
	}

	private static ConsulSession session(SessionKeeper keeper) throws Exception {
		return keeper.session().get(AMPLE.toSeconds(), TimeUnit.SECONDS);
	}

	/** A look at a session has two seconds, which a busy machine may pause. */
	private static ConsulSession borrowed(SessionKeeper keeper) {
		return await().atMost(AMPLE)
			.ignoreExceptionsMatching((ex) -> ex.getCause() instanceof ConsulUnavailableException)
			.until(() -> session(keeper), ConsulSession::isLive);
	}

	private void lost(ConsulSession session, LockLostReason reason) {
		this.losses.add(new Loss(session.id(), reason, System.nanoTime(), Thread.currentThread().isInterrupted()));
	}

	/** Notes when renewals that succeed are sent; sends watches another way. */
	private ConsulClient recording(ConsulClient client, ConsulClient watches) {
		return (ConsulClient) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] { ConsulClient.class },
				(proxy, method, arguments) -> {
					long sentAt = System.nanoTime();
					try {
						Object outcome = method.invoke(method.getName().equals("watchSession") ? watches : client,
								arguments);
						if (outcome instanceof RenewalOutcome.Renewed) {
							this.renewals.add(sentAt);
						}
						return outcome;
					}
					catch (InvocationTargetException ex) {
						throw ex.getTargetException();
					}
				});
	}

	private static Set<Thread> keeperThreads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().startsWith("consul-lock-"))
			.collect(Collectors.toSet());
	}

	private static void awaitNoThreadsBut(Set<Thread> before) {
		await().atMost(AMPLE).untilAsserted(() -> assertThat(before).containsAll(keeperThreads()));
	}

	private record Loss(String session, LockLostReason reason, long at, boolean onInterruptedThread) {
	}

}
