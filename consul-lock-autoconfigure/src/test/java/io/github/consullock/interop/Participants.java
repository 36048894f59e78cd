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
import io.github.consullock.TestRegistries;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.lock.ConsulLockRegistryBuilder;

/**
 * Who takes part in a test: registries of this library, other programs, and an observer.
 */
final class Participants extends TestRegistries {

	static final Duration LOCK_DELAY = Duration.ofSeconds(2);

	Participants(URI consul, String prefix) {
		super(consul, prefix);
	}

	ConsulLockRegistry java() {
		return java((builder) -> builder);
	}

	/** One whose session, when it ends, leaves lock-delay. */
	ConsulLockRegistry javaWithLockDelay() {
		return java((builder) -> builder.session(WITHOUT_LOCK_DELAY.withTimes(WITHOUT_LOCK_DELAY.ttl(), LOCK_DELAY)));
	}

	ConsulLockRegistry java(UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return open(new PatientClient(consul()), settings);
	}

	GoDriver go() {
		return closing(GoDriver.start(GoBuild.executable(), consul()));
	}

	/** What is below a key. */
	List<KvEntry> entries(String key) {
		return this.observer.list(key(key));
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

}
