package io.github.consullock.faults;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.FaultyProxy;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rights that end while locks are held, and entries that somebody else deletes, releases
 * or takes.
 */
@Tag("faults")
@Timeout(300)
class RefusalTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private static final String RULES = "key_prefix \"locks/\" { policy = \"write\" }"
			+ " session_prefix \"\" { policy = \"write\" }";

	private static final int MAX_TRIES = 3;

	private static ConsulServer consul;

	private static ConsulClient observer;

	private final AtomicReference<String> token = new AtomicReference<>(consul.createToken(RULES));

	private FaultyProxy proxy;

	private ConsulClient client;

	private ConsulLockRegistry registry;

	@BeforeAll
	static void startConsul() {
		consul = ConsulServer.builder().acl().start();
		observer = client(consul.httpUri(), new AtomicReference<>(consul.managementToken()));
	}

	@AfterAll
	static void stopConsul() {
		observer.close();
		consul.close();
	}

	@BeforeEach
	void start() throws IOException {
		this.proxy = new FaultyProxy(consul.httpUri());
		this.client = client(this.proxy.uri(), this.token);
		this.registry = ConsulLockRegistry.builder(this.client)
			.session(SETTINGS)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	@AfterEach
	void stop() {
		this.registry.close();
		this.client.close();
		this.proxy.close();
	}

	private static ConsulClient client(URI address, AtomicReference<String> token) {
		return HttpConsulClient.builder(address).connectTimeout(LONG).readTimeout(LONG).token(token::get).build();
	}

	@Test
	void aRevokedTokenIsToldAfterAFewTriesAndTheHoldGoesOnWithANewOne() throws Exception {
		LockHandle held = this.registry.obtain("a").acquire();
		String session = String.valueOf(entry("a").session());
		revoke(this.token.get());
		int before = tries();
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> this.registry.obtain("b").acquire())
			.withMessageContaining("consul.lock.connection.token");
		assertThat(tries() - before).isLessThanOrEqualTo(MAX_TRIES);
		this.token.set(consul.createToken(RULES));
		this.registry.obtain("b").acquire().close();
		// Renewals get on with it as well: it would be lost otherwise.
		await().during(SETTINGS.ttl().plusSeconds(2)).atMost(LONG).until(held::isHeld);
		assertThat(entry("a").session()).isEqualTo(session);
		assertThat(held.release()).isTrue();
	}

	@Test
	void whoeverKeepsARevokedTokenHasLostTheLockAtTheDeadline() throws Exception {
		LockHandle held = this.registry.obtain("c").acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		held.onLost(told::complete);
		revoke(this.token.get());
		assertThat(told.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(LockLostReason.DEADLINE_PASSED);
		assertThat(held.isHeld()).isFalse();
		// It is still closed to everybody else.
		assertThat(entry("c").session()).isNotNull();
	}

	@Test
	void rightsThatShrinkAreToldWithTheKey() throws Exception {
		this.registry.obtain("d").acquire().close();
		this.token.set(consul.createToken(RULES.replace("locks/", "locks/.consul-lock/")));
		int before = tries();
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> this.registry.obtain("d").acquire())
			.withMessageContaining("locks/d");
		assertThat(tries() - before).isLessThanOrEqualTo(MAX_TRIES);
		this.token.set(consul.createToken(RULES));
		this.registry.obtain("d").acquire().close();
	}

	@Test
	void whatOthersDoToTheEntryIsTold() throws Exception {
		assertThat(lossBy("e", (entry) -> List.of(KvOperation.delete(entry.key()))))
			.isEqualTo(LockLostReason.KEY_DELETED);
		assertThat(lossBy("f",
				(entry) -> List
					.of(KvOperation.unlock(entry.key(), String.valueOf(entry.session()), "", entry.flags()))))
			.isEqualTo(LockLostReason.KEY_DELETED);
		String stranger = observer.createSession(new SessionRequest("stranger", Duration.ofSeconds(60), Duration.ZERO,
				SETTINGS.behavior(), List.of(), List.of()));
		assertThat(lossBy("g",
				(entry) -> List.of(KvOperation.unlock(entry.key(), String.valueOf(entry.session()), "", entry.flags()),
						KvOperation.lock(entry.key(), stranger, "", entry.flags()))))
			.isEqualTo(LockLostReason.TAKEN_OVER);
		assertThat(entry("g").session()).isEqualTo(stranger);
		observer.destroySession(stranger);
	}

	private LockLostReason lossBy(String key, Deed deed) throws Exception {
		LockHandle held = this.registry.obtain(key).acquire();
		LockHandle other = this.registry.obtain(key + "-other").acquire();
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		held.onLost(told::complete);
		observer.transact(deed.to(entry(key)), LONG);
		LockLostReason reason = told.get(LONG.toSeconds(), TimeUnit.SECONDS);
		assertThat(held.isHeld()).isFalse();
		// The session is well: what else it holds stays held.
		assertThat(other.isHeld()).isTrue();
		other.close();
		return reason;
	}

	private static KvEntry entry(String key) {
		return observer.read("locks/" + key, LONG).orElseThrow();
	}

	/** What callers cause: neither renewals nor watches. */
	private int tries() {
		return (int) this.proxy.requests().stream().filter(Request::isTransaction).count();
	}

	private static void revoke(String token) throws IOException, InterruptedException {
		Matcher accessor = Pattern.compile("\"AccessorID\":\\s*\"([^\"]+)\"")
			.matcher(call("GET", "/v1/acl/token/self", token));
		assertThat(accessor.find()).isTrue();
		assertThat(call("DELETE", "/v1/acl/token/" + accessor.group(1), consul.managementToken())).contains("true");
		await().atMost(LONG).until(() -> call("GET", "/v1/acl/token/self", token).contains("ACL not found"));
	}

	private static String call(String method, String path, String token) throws IOException, InterruptedException {
		HttpRequest request = HttpRequest.newBuilder(consul.httpUri().resolve(path))
			.method(method, HttpRequest.BodyPublishers.noBody())
			.header("X-Consul-Token", token)
			.build();
		return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
	}

	/** What somebody else does to an entry. */
	private interface Deed {

		List<KvOperation> to(KvEntry entry);

	}

}
