package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.github.consullock.FaultyProxy;
import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.consul.ConsulAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The token, and the ids of sessions, by which anybody could act for a holder, in nothing
 * that is printed: with everything logged, while things work and while they fail.
 */
@ExtendWith(OutputCaptureExtension.class)
class SecretsInOutputTests {

	private static final Duration LONG = Duration.ofMinutes(1);

	private static final Pattern UUIDS = Pattern
		.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

	private static ConsulServer consul;

	private static ConsulClient observer;

	private static String token;

	private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);

	private final Level before = this.root.getLevel();

	private final Set<String> sessions = new LinkedHashSet<>();

	private final List<String> shown = new ArrayList<>();

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class))
		.withPropertyValues("consul.lock.connection.url=" + consul.httpUri(), "consul.lock.waiting.timeout=1m",
				"consul.lock.shutdown-timeout=0s");

	@BeforeAll
	static void start() {
		consul = ConsulServer.builder().acl().start();
		token = consul
			.createToken("key_prefix \"locks/\" { policy = \"write\" } session_prefix \"\" { policy = \"write\" }");
		observer = HttpConsulClient.builder(consul.httpUri())
			.connectTimeout(LONG)
			.readTimeout(LONG)
			.token(consul::managementToken)
			.build();
	}

	@AfterAll
	static void stop() {
		observer.close();
		consul.close();
	}

	@BeforeEach
	void logEverything() {
		this.root.setLevel(Level.TRACE);
	}

	@AfterEach
	void logAsBefore() {
		this.root.setLevel(this.before);
	}

	@Test
	void whileLocksAreHeldWaitedForAndLost(CapturedOutput output) {
		this.runner.withPropertyValues("consul.lock.connection.token=" + token).run((context) -> {
			ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
			show(registry, context.getBean(ConsulLockProperties.class), context.getBean(ConsulClient.class),
					context.getBean(ConsulLockConnectionDetails.class));
			LockHandle lock = registry.obtain("a").acquire();
			LockHandle permit = registry.semaphore("b", 1).acquire();
			LockHandle reading = registry.readWriteLock("c").readLock().acquire();
			noteSessions();
			show(lock, permit, reading, registry.heldLocks(), registry.obtain("a").holder(),
					registry.semaphore("b", 1).holders());
			show(observer.read("locks/a", LONG), observer.list("locks/", LONG), KvOperation.lock("k", any(), "", 0),
					observer.sessionInfo(any(), LONG), LockOptions.builder("k").session(any()).build());
			fails(() -> registry.obtain("a").acquire(Duration.ZERO));
			fails(() -> registry.semaphore("b", 1).acquire(Duration.ZERO));
			fails(() -> registry.readWriteLock("c").writeLock().acquire(Duration.ZERO));
			fails(() -> registry.semaphore(LockOptions.builder("b").session(any()).build(), 1));
			CompletableFuture<LockHandle> waiting = registry.obtain("a").acquireAsync(LONG);
			this.sessions.forEach(observer::destroySession);
			await().atMost(LONG).until(() -> !lock.isHeld() && !permit.isHeld() && !reading.isHeld());
			fails(lock::ensureHeld);
			waiting.cancel(true);
			LockHandle again = registry.obtain("d").acquire();
			noteSessions();
			show(again);
			String own = observer.read("locks/d", LONG).orElseThrow().session();
			fails(() -> registry.obtain(LockOptions.builder("e").session(UUID.randomUUID().toString()).build())
				.acquire());
			observer.destroySession(own);
			fails(() -> registry.obtain(LockOptions.builder("e").session(own).build()).acquire());
		});
		assertNothingIsShown(output, 3);
	}

	@Test
	void whileConsulIsOutOfReach(CapturedOutput output) throws IOException {
		FaultyProxy proxy = new FaultyProxy(consul.httpUri());
		this.runner
			.withPropertyValues("consul.lock.connection.token=" + token, "consul.lock.connection.url=" + proxy.uri(),
					"consul.lock.session.ttl=10s", "consul.lock.session.lock-delay=10s")
			.run((context) -> {
				ConsulLockRegistry registry = context.getBean(ConsulLockRegistry.class);
				LockHandle lock = registry.obtain("a").acquire();
				noteSessions();
				proxy.close();
				fails(() -> registry.obtain("f").acquire(Duration.ofSeconds(2)));
				await().atMost(LONG).until(() -> !lock.isHeld());
				fails(lock::ensureHeld);
			});
		assertNothingIsShown(output, 1);
	}

	@Test
	void whileTheTokenIsRefused(CapturedOutput output) {
		String unknown = UUID.randomUUID().toString();
		this.sessions.add(unknown);
		this.runner.withPropertyValues("consul.lock.connection.token=" + unknown).run((context) -> {
			show(context.getBean(ConsulLockProperties.class), context.getBean(ConsulLockConnectionDetails.class));
			fails(() -> context.getBean(ConsulLockRegistry.class).obtain("a").acquire());
		});
		this.runner.withPropertyValues("consul.lock.connection.token=" + unknown + "\u00e4").run((context) -> {
			assertThat(context).hasNotFailed();
			fails(() -> context.getBean(ConsulLockRegistry.class).obtain("a").acquire());
		});
		assertNothingIsShown(output, 1);
	}

	private void noteSessions() {
		for (KvEntry entry : observer.list("locks/", LONG)) {
			if (entry.session() != null) {
				this.sessions.add(entry.session());
			}
		}
	}

	private String any() {
		return this.sessions.iterator().next();
	}

	private void show(Object... objects) {
		for (Object object : objects) {
			this.shown.add(object.toString());
		}
	}

	private void fails(Runnable call) {
		try {
			call.run();
			throw new AssertionError("It was expected to fail");
		}
		catch (LockException | IllegalArgumentException ex) {
			StringWriter trace = new StringWriter();
			ex.printStackTrace(new PrintWriter(trace));
			this.shown.add(trace.toString());
		}
	}

	private void assertNothingIsShown(CapturedOutput output, int expectedSessions) {
		assertThat(this.sessions).hasSizeGreaterThanOrEqualTo(expectedSessions);
		// The log is there, or nothing is tested.
		assertThat(output.getAll()).contains("DEBUG");
		for (String text : List.of(String.join("\n", this.shown), output.getAll())) {
			Matcher found = UUIDS.matcher(text);
			while (found.find()) {
				String line = text.substring(text.lastIndexOf('\n', found.start()) + 1, found.end());
				assertThat(this.sessions).as(line).doesNotContain(found.group());
				assertThat(found.group()).as(line).isNotEqualTo(token);
			}
		}
	}

}
