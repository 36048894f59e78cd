package io.github.consullock.lock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.LockHandle;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The policy that the documentation gives to a token: all that this library does is done
 * with it, and each of its rules is needed.
 */
@Timeout(240)
class AclPolicyTests {

	private static final Path PAGE = Path.of("../docs/configuration.md");

	private static final Duration LONG = Duration.ofMinutes(1);

	private static final String PREFIX = "locks/";

	private static ConsulServer consul;

	private static List<String> rules;

	private static ConsulClient observer;

	private ConsulLockRegistry first;

	private ConsulLockRegistry second;

	@BeforeAll
	static void startConsul() throws IOException {
		consul = ConsulServer.builder().acl().start();
		Matcher policy = Pattern.compile("```hcl\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(PAGE));
		assertThat(policy.find()).isTrue();
		rules = policy.group(1).replace("my-node", consul.nodeName()).lines().toList();
		observer = client(consul.managementToken());
	}

	@AfterAll
	static void stopConsul() {
		observer.close();
		consul.close();
	}

	private void start() {
		this.first = registry(consul.createToken(String.join("\n", rules)));
		this.second = registry(consul.createToken(String.join("\n", rules)));
	}

	@AfterEach
	void stop() {
		Stream.of(this.first, this.second).filter(Objects::nonNull).forEach(ConsulLockRegistry::close);
	}

	@Test
	void locksOfEachKindAreAcquiredReleasedAndGone() {
		start();
		try (LockHandle lock = this.first.obtain("a").acquire();
				LockHandle several = this.first.obtainAll(List.of("b", "c")).acquire();
				LockHandle permit = this.first.semaphore("d", 2).acquire();
				LockHandle other = this.second.semaphore("d", 2).acquire();
				LockHandle reading = this.first.readWriteLock("e").readLock().acquire();
				LockHandle alsoReading = this.second.readWriteLock("e").readLock().acquire()) {
			assertThat(List.of(lock, several, permit, other, reading, alsoReading)).allMatch(LockHandle::isHeld);
			assertThat(this.second.obtain("a").holder()).isPresent();
			assertThat(this.second.semaphore("d", 2).holders()).hasSize(2);
			assertThat(this.second.obtain("b").tryAcquire(Duration.ZERO)).isEmpty();
			assertThat(this.second.semaphore("d", 2).tryAcquire(Duration.ZERO)).isEmpty();
			assertThat(this.second.readWriteLock("e").writeLock().tryAcquire(Duration.ZERO)).isEmpty();
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> lock.guardedPut("results/a", "x"))
				.withMessageContaining("results/a");
			assertThat(lock.isHeld()).isTrue();
		}
		assertNothingIsLeft();
	}

	@Test
	void thoseWhoWaitQueueUpAndAreHandedTheLock() {
		start();
		LockHandle lock = this.first.obtain("a").acquire();
		LockHandle permit = this.first.semaphore("d", 1).acquire();
		LockHandle writing = this.first.readWriteLock("e").writeLock().acquire();
		CompletableFuture<LockHandle> nextLock = this.second.obtain("a").acquireAsync(LONG);
		CompletableFuture<LockHandle> nextPermit = this.second.semaphore("d", 1).acquireAsync(LONG);
		CompletableFuture<LockHandle> nextReading = this.second.readWriteLock("e").readLock().acquireAsync(LONG);
		await().atMost(LONG)
			.until(() -> observer.list(PREFIX + ".consul-lock/queues/", LONG)
				.stream()
				.map(KvEntry::key)
				.filter((key) -> !key.endsWith("/marker"))
				.count() == 2);
		lock.close();
		permit.close();
		writing.close();
		for (CompletableFuture<LockHandle> next : List.of(nextLock, nextPermit, nextReading)) {
			next.join().close();
		}
		assertNothingIsLeft();
	}

	@Test
	void theEndOfASessionAndOfAKeyAreTold() {
		start();
		LockHandle lock = this.first.obtain("a").acquire();
		LockHandle other = this.second.obtain("b").acquire();
		observer.destroySession(observer.read(PREFIX + "a", LONG).orElseThrow().session());
		observer.transact(List.of(KvOperation.delete(PREFIX + "b")), LONG);
		await().atMost(LONG).until(() -> !lock.isHeld() && !other.isHeld());
	}

	@ParameterizedTest
	@ValueSource(strings = { "key_prefix", "session" })
	void withoutOneOfTheRulesTheFirstLockIsRefused(String rule) {
		List<String> others = rules.stream().filter((line) -> !line.startsWith(rule)).toList();
		assertThat(others).hasSize(rules.size() - 1);
		this.first = registry(consul.createToken(String.join("\n", others)));
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> this.first.obtain("f").acquire())
			.withMessageContainingAll("key_prefix", "session_prefix", "consul.lock.connection.token");
	}

	@Test
	void nothingOutsideOfThePrefixIsAllowed() {
		try (ConsulClient client = client(consul.createToken(String.join("\n", rules)))) {
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> client.transact(List.of(KvOperation.set("other", "", 0)), LONG));
			assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> client.read("other", LONG));
		}
	}

	/** Fences go with the sessions, which end when the registries are closed. */
	private void assertNothingIsLeft() {
		this.first.close();
		this.second.close();
		await().atMost(LONG).untilAsserted(() -> assertThat(observer.list(PREFIX, LONG)).isEmpty());
	}

	private static ConsulLockRegistry registry(String token) {
		return ConsulLockRegistry.builder(client(token))
			.keyPrefix(PREFIX)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	private static ConsulClient client(String token) {
		return HttpConsulClient.builder(consul.httpUri())
			.connectTimeout(LONG)
			.readTimeout(LONG)
			.token(() -> token)
			.build();
	}

}
