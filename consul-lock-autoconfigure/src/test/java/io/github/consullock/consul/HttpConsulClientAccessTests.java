package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.PatientClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.testserver.ConsulServer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What a token may do, and what a caller is told when it may not.
 */
@Timeout(120)
class HttpConsulClientAccessTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private static final SessionRequest SESSION = new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
			SessionBehavior.RELEASE, List.of(), List.of());

	private static ConsulServer consul;

	@BeforeAll
	static void start() {
		consul = ConsulServer.builder().acl().start();
	}

	@AfterAll
	static void stop() {
		consul.close();
	}

	@Test
	void rulesThatTheMessageNamesAreEnough() {
		String token = consul.createToken("key_prefix \"locks/\" { policy = \"write\" } session_prefix \""
				+ consul.nodeName() + "\" { policy = \"write\" }");
		try (ConsulClient client = client(token)) {
			String session = client.createSession(SESSION);
			assertThat(client.transact(List.of(KvOperation.checkNotExists("locks/k"),
					KvOperation.lock("locks/k", session, "v", 1), KvOperation.set("locks/l", "", 0)), SECONDS))
				.isInstanceOf(Committed.class);
			assertThat(client.read("locks/k", SECONDS)).isPresent();
			assertThat(client.list("locks/")).hasSize(2);
			assertThat(client.watch("locks/k", 0, SECONDS).entry()).isNotNull();
			assertThat(client.watchSession(session, 0, SECONDS).visible()).isTrue();
			assertThat(PatientClient.answered(() -> client.renewSession(session)))
				.isInstanceOf(RenewalOutcome.Renewed.class);
			PatientClient.done(() -> client.destroySession(session));
		}
	}

	@Test
	void missingTokenIsRefusedByEveryVerb() {
		try (ConsulClient owner = client(consul.managementToken()); ConsulClient client = client(null)) {
			String session = owner.createSession(SESSION);
			assertRefused("PUT /v1/session/create", () -> client.createSession(SESSION));
			assertRefused("PUT /v1/session/renew/", () -> PatientClient.answered(() -> client.renewSession(session)));
			assertRefused("PUT /v1/session/destroy/", () -> PatientClient.done(() -> client.destroySession(session)));
			assertRefused("GET /v1/kv/locks/k", () -> client.read("locks/k", SECONDS));
			assertRefused("GET /v1/kv/locks/k", () -> client.watch("locks/k", 1, SECONDS));
			assertRefused("'locks/k'",
					() -> client.transact(List.of(KvOperation.lock("locks/k", session, "v", 1)), SECONDS));
			assertRefused("'locks/k'",
					() -> client.transact(List.of(KvOperation.checkSession("locks/k", session)), SECONDS));
			assertThat(PatientClient.answered(() -> owner.renewSession(session)))
				.isInstanceOf(RenewalOutcome.Renewed.class);
			PatientClient.done(() -> owner.destroySession(session));
		}
	}

	@Test
	void sessionThatTheTokenMayNotSeeIsNotVisibleThoughItLives() {
		try (ConsulClient owner = client(consul.managementToken()); ConsulClient client = client(null)) {
			String session = owner.createSession(SESSION);
			assertThat(client.watchSession(session, 0, SECONDS).visible()).isFalse();
			assertThat(PatientClient.answered(() -> client.sessionInfo(session, SECONDS))).isEmpty();
			PatientClient.done(() -> owner.destroySession(session));
		}
	}

	/** So that none may not be taken for nothing. */
	@Test
	void whatTheTokenMayNotReadIsLeftOutOfATransactionThatReads() {
		String token = consul.createToken("key_prefix \"locks/\" { policy = \"write\" }");
		try (ConsulClient owner = client(consul.managementToken()); ConsulClient client = client(token)) {
			owner.transact(List.of(KvOperation.set("locks/read", "", 0), KvOperation.set("secret/k", "", 0)), SECONDS);
			assertThat(client.transact(
					List.of(KvOperation.get("secret/k"), KvOperation.getTree("secret/"), KvOperation.get("locks/read")),
					SECONDS))
				.isEqualTo(new Committed(List.of(client.read("locks/read", SECONDS).orElseThrow())));
			assertThat(client.transact(List.of(KvOperation.set("locks/write", "", 0), KvOperation.getTree("secret/")),
					SECONDS))
				.isInstanceOfSatisfying(Committed.class, (outcome) -> assertThat(outcome.results()).hasSize(1));
		}
	}

	@Test
	void tokenForOtherKeysIsRefusedInTransactionsWithTheKeyNamed() {
		String token = consul.createToken("key_prefix \"locks/\" { policy = \"write\" }");
		try (ConsulClient client = client(token)) {
			assertRefused("'other/k'", () -> client
				.transact(List.of(KvOperation.set("locks/m", "", 0), KvOperation.set("other/k", "", 0)), SECONDS));
			assertThat(client.read("locks/m", SECONDS)).isEmpty();
		}
	}

	@Test
	void unknownTokenIsRefusedAndNotQuoted() {
		String token = UUID.randomUUID().toString();
		try (ConsulClient client = client(token)) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.createSession(SESSION))
				.withMessageContaining("ACL not found")
				.withMessageContaining("consul.lock.connection.token")
				.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain(token));
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.set("locks/k", "", 0)), SECONDS))
				.withMessageContaining("ACL not found");
		}
	}

	@Test
	void tokenMayChangeWhileTheClientLives() {
		AtomicReference<String> token = new AtomicReference<>(UUID.randomUUID().toString());
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).token(token::get).build()) {
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.createSession(SESSION));
			token.set(consul.managementToken());
			String session = client.createSession(SESSION);
			PatientClient.done(() -> client.destroySession(session));
		}
	}

	private static void assertRefused(String what, ThrowingCallable call) {
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(call)
			.withMessageContaining(what)
			.withMessageContaining("Permission denied")
			.withMessageContaining("consul.lock.connection.token")
			.withMessageContaining("key_prefix")
			.withMessageContaining("session_prefix");
	}

	private static ConsulClient client(@Nullable String token) {
		return HttpConsulClient.builder(consul.httpUri()).token(() -> token).build();
	}

}
