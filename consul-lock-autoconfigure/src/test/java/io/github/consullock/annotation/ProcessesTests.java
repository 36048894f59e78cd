package io.github.consullock.annotation;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

import io.github.consullock.LockHandle;
import io.github.consullock.OtherProcess;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.Acquirable;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Locks of every kind, with and without annotation, between processes.
 */
@ConsulTest
@Timeout(300)
class ProcessesTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** The shortest that keeps the promises. */
	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private final List<OtherProcess> processes = new ArrayList<>();

	private final ConsulClient client;

	private final String[] arguments;

	private final ConsulLockRegistry registry;

	ProcessesTests(ConsulServer consul, KeyPrefix prefix) {
		this.arguments = new String[] { consul.httpUri().toString(), prefix.value() };
		this.client = new PatientClient(consul.httpUri());
		this.registry = registry(this.client, prefix.value());
	}

	private static ConsulLockRegistry registry(ConsulClient client, String prefix) {
		return ConsulLockRegistry.builder(client)
			.keyPrefix(prefix)
			.session(SETTINGS)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	@BeforeEach
	void makeSession() {
		this.registry.obtain("warm-up").acquire().close();
	}

	@AfterEach
	void stop() throws Exception {
		for (OtherProcess process : this.processes) {
			process.close();
		}
		this.registry.close();
		this.client.close();
	}

	private OtherProcess start() throws Exception {
		OtherProcess process = new OtherProcess(Other.class, this.arguments);
		this.processes.add(process);
		assertThat(process.next()).isEqualTo("ready");
		return process;
	}

	@Test
	void whatOneProcessHoldsAnotherGetsWhenItIsReleased() throws Exception {
		OtherProcess other = start();
		for (Kind kind : Kind.values()) {
			long token = hold(other, kind);
			Acquirable lock = kind.of(this.registry);
			assertThat(lock.tryAcquire(Duration.ZERO)).as(kind.name()).isEmpty();
			CompletableFuture<LockHandle> waiting = lock.acquireAsync();
			assertThat(waiting).as(kind.name()).isNotDone();
			assertThat(other.ask("release " + kind)).isEqualTo("released " + kind);
			LockHandle handle = waiting.join();
			assertThat(handle.fencingToken()).as(kind.name()).isGreaterThan(token);
			other.tell("hold " + kind);
			assertThat(handle.release()).as(kind.name()).isTrue();
			assertThat(other.next()).startsWith("held " + kind);
			assertThat(other.ask("release " + kind)).isEqualTo("released " + kind);
		}
		other.close();
		this.registry.close();
		assertThat(this.client.list(this.arguments[1])).isEmpty();
	}

	@Test
	void whatAProcessHeldThatWasKilledIsToBeHadAfterLockDelayAndNoSooner() throws Exception {
		Set<String> own = sessions();
		OtherProcess other = start();
		Map<Kind, Long> tokens = new EnumMap<>(Kind.class);
		for (Kind kind : Kind.values()) {
			tokens.put(kind, hold(other, kind));
		}
		Set<String> sessions = sessions();
		sessions.removeAll(own);
		other.kill();
		Map<Kind, CompletableFuture<LockHandle>> waiting = new EnumMap<>(Kind.class);
		List<Long> acquired = new CopyOnWriteArrayList<>();
		for (Kind kind : Kind.values()) {
			CompletableFuture<LockHandle> future = kind.of(this.registry).acquireAsync();
			future.thenRun(() -> acquired.add(System.nanoTime()));
			waiting.put(kind, future);
		}
		long lastSeen = awaitEnd(sessions);
		CompletableFuture.allOf(waiting.values().toArray(CompletableFuture[]::new)).join();
		await().until(() -> acquired.size() == waiting.size());
		assertThat(acquired).allSatisfy(
				(time) -> assertThat(Duration.ofNanos(time - lastSeen)).isGreaterThanOrEqualTo(SETTINGS.lockDelay()));
		waiting.forEach((kind, future) -> {
			LockHandle handle = future.join();
			assertThat(handle.fencingToken()).as(kind.name()).isGreaterThan(tokens.get(kind));
			assertThat(handle.release()).as(kind.name()).isTrue();
		});
	}

	private Set<String> sessions() {
		Set<String> sessions = new HashSet<>();
		for (KvEntry entry : this.client.list(this.arguments[1])) {
			if (entry.session() != null) {
				sessions.add(entry.session());
			}
		}
		return sessions;
	}

	/** Tells when the first of them was last there. */
	private long awaitEnd(Set<String> sessions) {
		Map<String, Long> seen = new HashMap<>();
		await().pollInterval(Duration.ofMillis(100)).until(() -> {
			boolean alive = false;
			for (String session : sessions) {
				long time = System.nanoTime();
				if (this.client.sessionInfo(session, LONG).isPresent()) {
					seen.put(session, time);
					alive = true;
				}
			}
			return !alive;
		});
		assertThat(seen).hasSameSizeAs(sessions);
		return seen.values().stream().mapToLong((time) -> time).min().orElseThrow();
	}

	@Test
	void annotatedMethodsOfSeveralProcessesNeverRunAtOnce() throws Exception {
		int times = 40;
		List<OtherProcess> others = List.of(start(), start());
		for (OtherProcess other : others) {
			other.tell("count " + times);
		}
		for (OtherProcess other : others) {
			assertThat(other.next()).isEqualTo("counted");
		}
		String key = this.arguments[1] + "counter";
		assertThat(this.client.read(key, LONG).orElseThrow().value()).isEqualTo(String.valueOf(2 * times));
		this.client.transact(List.of(KvOperation.delete(key)), LONG);
	}

	private static long hold(OtherProcess other, Kind kind) throws Exception {
		String answer = other.ask("hold " + kind);
		String held = "held " + kind + " ";
		assertThat(answer).startsWith(held);
		return Long.parseLong(answer.substring(held.length()));
	}

	/** What can be held, and how. */
	enum Kind {

		LOCK, SEVERAL, PERMIT, WRITER, METHOD, METHOD_WITH_KEYS, METHOD_WITH_LIMIT, METHOD_WITH_FUTURE;

		Acquirable of(ConsulLockRegistry registry) {
			return switch (this) {
				case LOCK, METHOD, METHOD_WITH_FUTURE -> registry.obtain(name());
				case SEVERAL, METHOD_WITH_KEYS -> registry.obtainAll(List.of(name() + "/1", name() + "/2"));
				case PERMIT, METHOD_WITH_LIMIT -> registry.semaphore(name(), 1);
				case WRITER -> registry.readWriteLock(name()).writeLock();
			};
		}

	}

	/** What runs in the other processes. */
	static final class Other {

		private Other() {
		}

		public static void main(String[] args) throws IOException {
			try (ConsulClient client = new PatientClient(URI.create(args[0]));
					AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
					BufferedReader input = new BufferedReader(
							new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
				context.register(LockContext.Locking.class, Work.class);
				context.registerBean(ConsulLockRegistry.class, () -> registry(client, args[1]));
				context.refresh();
				OtherProcess.answer("ready");
				Map<Kind, CompletableFuture<Void>> ends = new EnumMap<>(Kind.class);
				for (String line = input.readLine(); line != null; line = input.readLine()) {
					String argument = line.substring(line.indexOf(' ') + 1);
					if (line.startsWith("hold ")) {
						Kind kind = Kind.valueOf(argument);
						CompletableFuture<Void> end = new CompletableFuture<>();
						ends.put(kind, end);
						hold(context, kind, end);
					}
					else if (line.startsWith("release ")) {
						ends.get(Kind.valueOf(argument)).complete(null);
					}
					else {
						Work work = context.getBean(Work.class);
						for (int i = 0; i < Integer.parseInt(argument); i++) {
							work.count(client, args[1] + "counter");
						}
						OtherProcess.answer("counted");
					}
				}
			}
		}

		private static void hold(AnnotationConfigApplicationContext context, Kind kind, CompletableFuture<Void> end) {
			Work work = context.getBean(Work.class);
			Runnable body = () -> {
				tell(kind, LockHandle.current());
				end.join();
			};
			Runnable call = switch (kind) {
				case METHOD -> () -> work.method(body);
				case METHOD_WITH_KEYS -> () -> work.keys(body);
				case METHOD_WITH_LIMIT -> () -> work.limit(body);
				case METHOD_WITH_FUTURE -> () -> work.future(kind, end).join();
				default -> () -> {
					try (LockHandle handle = kind.of(context.getBean(ConsulLockRegistry.class)).acquire()) {
						tell(kind, handle);
						end.join();
					}
				};
			};
			Thread thread = new Thread(() -> {
				call.run();
				OtherProcess.answer("released " + kind);
			});
			thread.setDaemon(true);
			thread.start();
		}

		static void tell(Kind kind, LockHandle handle) {
			OtherProcess.answer("held " + kind + " " + handle.fencingToken());
		}

	}

	static class Work {

		@DistributedLock("METHOD")
		public void method(Runnable body) {
			body.run();
		}

		@DistributedLock(keys = { "METHOD_WITH_KEYS/1", "METHOD_WITH_KEYS/2" })
		public void keys(Runnable body) {
			body.run();
		}

		@DistributedLock(key = "METHOD_WITH_LIMIT", limit = 1)
		public void limit(Runnable body) {
			body.run();
		}

		@DistributedLock("METHOD_WITH_FUTURE")
		public CompletableFuture<Void> future(Kind kind, CompletableFuture<Void> end) {
			Other.tell(kind, LockHandle.current());
			return end;
		}

		/** Counts wrong when somebody else counts meanwhile. */
		@DistributedLock("METHOD")
		public void count(ConsulClient client, String key) {
			int count = client.read(key, LONG).map((entry) -> Integer.parseInt(entry.value())).orElse(0);
			client.transact(List.of(KvOperation.set(key, String.valueOf(count + 1), 0)), LONG);
		}

	}

}
