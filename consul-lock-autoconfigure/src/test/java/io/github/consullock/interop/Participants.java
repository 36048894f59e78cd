package io.github.consullock.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulLockRegistryBuilder;
import io.github.consullock.session.SessionSettings;

/**
 * Who takes part in a test: registries of this library, other programs, and an observer.
 */
final class Participants implements AutoCloseable {

	/** Longer than anything takes that is to happen. */
	static final Duration LONG = Duration.ofMinutes(2);

	static final Duration LOCK_DELAY = Duration.ofSeconds(2);

	private static final SessionSettings SESSION = SessionSettings.DEFAULTS.withAllowUnsafe(true)
		.withTimes(Duration.ofSeconds(30), Duration.ZERO);

	private final URI consul;

	private final String prefix;

	private final List<AutoCloseable> open = new ArrayList<>();

	final ConsulClient observer;

	Participants(URI consul, String prefix) {
		this.consul = consul;
		this.prefix = prefix;
		this.observer = new PatientClient(consul);
	}

	/** The full key of what a registry calls by this key. */
	String key(String key) {
		return this.prefix + key;
	}

	ConsulLockRegistry java() {
		return java((builder) -> builder);
	}

	/** One whose session, when it ends, leaves lock-delay. */
	ConsulLockRegistry javaWithLockDelay() {
		return java((builder) -> builder.session(SESSION.withTimes(SESSION.ttl(), LOCK_DELAY)));
	}

	ConsulLockRegistry java(UnaryOperator<ConsulLockRegistryBuilder> settings) {
		ConsulClient client = new PatientClient(this.consul);
		ConsulLockRegistry registry = settings
			.apply(ConsulLockRegistry.builder(client)
				.keyPrefix(this.prefix)
				.session(SESSION)
				.waitTime(LONG)
				.shutdownTimeout(Duration.ZERO))
			.build();
		this.open.add(0, client);
		this.open.add(0, registry);
		return registry;
	}

	GoDriver go() {
		return closing(GoDriver.start(GoBuild.executable(), this.consul));
	}

	<T extends AutoCloseable> T closing(T participant) {
		this.open.add(0, participant);
		return participant;
	}

	URI consul() {
		return this.consul;
	}

	/** The entry of a lock as Consul has it, or null. */
	KvEntry entry(String key) {
		return this.observer.read(key(key), LONG).orElse(null);
	}

	/** What is below a key. */
	List<KvEntry> entries(String key) {
		return this.observer.list(key(key));
	}

	/** Ends the session that holds a lock, as an operator would. */
	void destroySessionOf(String key) {
		this.observer.destroySession(entry(key).session());
	}

	/** Deletes an entry behind the locks' back. */
	void delete(String key) {
		this.observer.transact(List.of(KvOperation.delete(key(key))), LONG);
	}

	/** Shows by a file that somebody is inside, and looks who else is, as Go does. */
	static void inside(Path directory, int limit) {
		try {
			Path file = Files.createTempFile(directory, "java-", "");
			try {
				Thread.sleep(20);
				try (DirectoryStream<Path> others = Files.newDirectoryStream(directory)) {
					List<String> names = new ArrayList<>();
					others.forEach((other) -> names.add(other.getFileName().toString()));
					if (names.size() > limit) {
						throw new IllegalStateException(names.size() + " are inside at once: " + names);
					}
				}
			}
			finally {
				Files.delete(file);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	/** Remembers a token in a file that Go reads and writes too, as holder. */
	static void risesTo(Path file, long token) {
		try {
			long last = Files.exists(file) ? Long.parseLong(Files.readString(file)) : 0;
			if (token <= last) {
				throw new IllegalStateException("token " + token + " after " + last);
			}
			Files.writeString(file, Long.toString(token));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Override
	public void close() {
		try {
			for (AutoCloseable closeable : this.open) {
				closeable.close();
			}
			this.observer.close();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
