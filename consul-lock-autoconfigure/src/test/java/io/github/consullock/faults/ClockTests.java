package io.github.consullock.faults;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import io.github.consullock.FaultyProxy;
import io.github.consullock.LockHandle;
import io.github.consullock.OtherProcess;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A holder whose clocks go wrong, while those of Consul and of everybody else are right.
 * A library, {@code libfaketime}, stands between its JVM and the clocks.
 */
@Tag("faults")
@ConsulTest
@Timeout(300)
class ClockTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** The shortest that keeps the promises. */
	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private static final Duration LOOK = Duration.ofMillis(200);

	private final List<AutoCloseable> open = new ArrayList<>();

	private final URI consul;

	private final String prefix;

	private final ConsulClient observer;

	private final ConsulLockRegistry other;

	@TempDir
	private Path folder;

	private String library;

	ClockTests(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul.httpUri();
		this.prefix = prefix.value();
		this.observer = new PatientClient(this.consul);
		this.other = registry(new PatientClient(this.consul), this.prefix);
	}

	static ConsulLockRegistry registry(ConsulClient client, String prefix) {
		return ConsulLockRegistry.builder(client)
			.keyPrefix(prefix)
			.session(SETTINGS)
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	@BeforeEach
	void find() throws IOException {
		Optional<Path> found = libfaketime();
		assumeTrue(found.isPresent(), "there is no libfaketime (Debian: apt-get install libfaketime)");
		this.library = found.orElseThrow().toString();
	}

	@AfterEach
	void stop() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.other.close();
		this.observer.close();
	}

	private static Optional<Path> libfaketime() throws IOException {
		Path libraries = Path.of("/usr/lib");
		if (!Files.isDirectory(libraries)) {
			return Optional.empty();
		}
		try (Stream<Path> folders = Files.list(libraries)) {
			return Stream.concat(Stream.of(libraries), folders)
				.map((folder) -> folder.resolve("faketime/libfaketime.so.1"))
				.filter(Files::isReadable)
				.findFirst();
		}
	}

	@Test
	void jumpsOfTheWallClockChangeNothing() throws Exception {
		Path clock = Files.writeString(this.folder.resolve("clock"), "+0\n");
		OtherProcess holder = start(this.consul, Map.of("FAKETIME_TIMESTAMP_FILE", clock.toString(),
				"FAKETIME_NO_CACHE", "1", "FAKETIME_DONT_FAKE_MONOTONIC", "1"));
		long before = clockOf(holder);
		String held = holder.ask("acquire");
		String session = session();
		for (String jump : List.of("+1h", "-1h", "+365d", "+0")) {
			Files.writeString(clock, jump + "\n");
			// Longer than a TTL in all: each jump has renewals.
			long end = System.nanoTime() + SETTINGS.ttl().dividedBy(3).toNanos();
			while (System.nanoTime() < end) {
				assertThat(holder.ask("look")).as(jump).startsWith("held");
				Thread.sleep(LOOK.toMillis());
			}
			if (!jump.equals("+0")) {
				// It did jump, or nothing is tested.
				assertThat(Math.abs(clockOf(holder) - before)).as(jump)
					.isGreaterThan(Duration.ofMinutes(50).toMillis());
			}
			assertThat(session()).as(jump).isEqualTo(session);
			assertThat(this.other.obtain("a").tryAcquire(Duration.ZERO)).as(jump).isEmpty();
		}
		assertThat(holder.ask("release")).isEqualTo("released true");
		assertThat(tokenOf(held)).isPositive();
	}

	@Test
	void aFastClockOnlyLosesTheLockEarly() throws Exception {
		FaultyProxy proxy = closing(new FaultyProxy(this.consul));
		OtherProcess holder = start(proxy.uri(), Map.of("FAKETIME", "+0 x3"));
		long token = tokenOf(holder.ask("acquire"));
		for (int i = 0; i < 10; i++) {
			assertThat(holder.ask("look")).startsWith("held");
			Thread.sleep(LOOK.toMillis());
		}
		String session = session();
		proxy.fallSilent();
		await().atMost(LONG).pollInterval(LOOK).until(() -> holder.ask("look").startsWith("lost"));
		// Long before Consul may end the session.
		assertThat(this.observer.sessionInfo(session, LONG)).isPresent();
		LockHandle next = this.other.obtain("a").acquire(LONG);
		assertThat(next.fencingToken()).isGreaterThan(token);
		next.close();
	}

	/**
	 * Its deadline comes twice as late as it should, and may be past the moment at which
	 * the key opens: what a fence is for.
	 */
	@Test
	void underASlowClockAFenceKeepsOutWhatComesTooLate() throws Exception {
		FaultyProxy proxy = closing(new FaultyProxy(this.consul));
		OtherProcess holder = start(proxy.uri(), Map.of("FAKETIME", "+0 x0.4"));
		long token = tokenOf(holder.ask("acquire"));
		proxy.fallSilent();
		CompletableFuture<LockHandle> next = this.other.obtain("a").acquireAsync(LONG);
		FencedStore store = new FencedStore();
		while (!next.isDone()) {
			// A write of a holder that believes in its hold.
			String look = holder.ask("look");
			if (look.startsWith("held")) {
				assertThat(store.write(token)).isTrue();
			}
			Thread.sleep(LOOK.toMillis());
		}
		LockHandle taken = next.join();
		assertThat(store.write(taken.fencingToken())).isTrue();
		while (holder.ask("look").startsWith("held")) {
			assertThat(store.write(token)).isFalse();
			Thread.sleep(LOOK.toMillis());
		}
		assertThat(store.write(taken.fencingToken())).isTrue();
		taken.close();
	}

	private OtherProcess start(URI address, Map<String, String> clock) throws Exception {
		Map<String, String> environment = new HashMap<>(clock);
		environment.put("LD_PRELOAD", this.library);
		OtherProcess process = closing(
				new OtherProcess(environment, Holder.class, address.toString(), this.prefix, "a"));
		assertThat(process.next()).isEqualTo("ready");
		return process;
	}

	private <T extends AutoCloseable> T closing(T closeable) {
		this.open.add(0, closeable);
		return closeable;
	}

	private String session() {
		return String.valueOf(this.observer.read(this.prefix + "a", LONG).orElseThrow().session());
	}

	private static long clockOf(OtherProcess holder) throws Exception {
		return Long.parseLong(holder.ask("clock"));
	}

	private static long tokenOf(String answer) {
		assertThat(answer).startsWith("acquired ");
		return Long.parseLong(answer.substring("acquired ".length()));
	}

	/** What a database does that keeps the token beside the data. */
	private static final class FencedStore {

		private long newest;

		boolean write(long token) {
			if (token < this.newest) {
				return false;
			}
			this.newest = token;
			return true;
		}

	}

	/** What runs in the other process. */
	static final class Holder {

		private Holder() {
		}

		public static void main(String[] args) throws IOException {
			try (ConsulClient client = new PatientClient(URI.create(args[0]));
					ConsulLockRegistry registry = registry(client, args[1]);
					BufferedReader input = new BufferedReader(
							new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
				OtherProcess.answer("ready");
				LockHandle handle = null;
				for (String line = input.readLine(); line != null; line = input.readLine()) {
					if (line.equals("clock")) {
						OtherProcess.answer(String.valueOf(System.currentTimeMillis()));
					}
					else if (handle == null) {
						handle = registry.obtain(args[2]).acquire();
						OtherProcess.answer("acquired " + handle.fencingToken());
					}
					else if (line.equals("release")) {
						OtherProcess.answer("released " + handle.release());
					}
					else {
						OtherProcess.answer((handle.isHeld() ? "held " : "lost ") + handle.remaining().toMillis());
					}
				}
			}
		}

	}

}
