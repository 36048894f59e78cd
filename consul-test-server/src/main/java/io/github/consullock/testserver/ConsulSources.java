package io.github.consullock.testserver;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ways to get a Consul, in the order in which they are tried.
 */
final class ConsulSources {

	private static final Logger logger = LoggerFactory.getLogger(ConsulSources.class);

	private static final ReentrantLock LOCK = new ReentrantLock();

	private static @Nullable ConsulSource found;

	/** Kept as well: looking again would take as long and find as little. */
	private static @Nullable String missing;

	private ConsulSources() {
	}

	/**
	 * Finds a Consul, once for this JVM.
	 * @return what starts agents
	 * @throws ConsulServerException if there is none, saying why for each way
	 */
	static ConsulSource find() {
		LOCK.lock();
		try {
			ConsulSource source = found;
			if (source == null) {
				if (missing != null) {
					throw new ConsulServerException(missing);
				}
				source = search();
				logger.info("Consul for tests: {}", source.description());
				found = source;
			}
			return source;
		}
		finally {
			LOCK.unlock();
		}
	}

	private static ConsulSource search() {
		try {
			return find(ways());
		}
		catch (ConsulServerException ex) {
			missing = ex.getMessage();
			throw ex;
		}
	}

	private static List<Way> ways() {
		return List.of(new Way("CONSUL_BINARY", () -> configured(Setting.BINARY.value())),
				new Way("consul on the PATH", () -> onPath(ConsulBinary.onPath("consul"))),
				new Way("Docker", ConsulSources::inDocker), new Way("Debian's package",
						() -> new LocalConsul(ConsulBinary.of(DebianPackage.ofUser().executable()))));
	}

	static ConsulSource find(List<Way> ways) {
		List<String> failures = new ArrayList<>();
		for (Way way : ways) {
			try {
				return way.attempt().find();
			}
			catch (SourceUnavailableException ex) {
				failures.add("- %s: %s".formatted(way.name(), ex.getMessage()));
			}
		}
		throw new ConsulServerException("""
				No Consul was found to start. Tried, in this order:
				%s
				Install Consul so that 'consul' is on the PATH, or set CONSUL_BINARY to one, or start Docker."""
			.formatted(String.join("\n", failures)));
	}

	/**
	 * Uses what the developer set; a setting that is wrong is an error and no reason to
	 * use something else.
	 * @param value the path, if set
	 * @return the source
	 * @throws SourceUnavailableException if it is not set
	 * @throws ConsulServerException if it is no Consul
	 */
	static ConsulSource configured(@Nullable String value) throws SourceUnavailableException {
		if (value == null) {
			throw new SourceUnavailableException("not set");
		}
		Path path = Path.of(value).toAbsolutePath();
		if (!Files.isExecutable(path) || Files.isDirectory(path)) {
			throw new ConsulServerException(
					"CONSUL_BINARY (or consul.binary) is '%s', which is no executable file: correct it or unset it"
						.formatted(value));
		}
		try {
			return new LocalConsul(ConsulBinary.of(path));
		}
		catch (SourceUnavailableException ex) {
			throw new ConsulServerException(
					"CONSUL_BINARY (or consul.binary) is of no use, correct it or unset it: " + ex.getMessage(), ex);
		}
	}

	static ConsulSource onPath(@Nullable Path path) throws SourceUnavailableException {
		if (path == null) {
			throw new SourceUnavailableException("none there");
		}
		return new LocalConsul(ConsulBinary.of(path));
	}

	private static ConsulSource inDocker() throws SourceUnavailableException {
		try {
			Class.forName("org.testcontainers.consul.ConsulContainer", false, ConsulSources.class.getClassLoader());
		}
		catch (ClassNotFoundException ex) {
			throw new SourceUnavailableException("Testcontainers is not on the class path:"
					+ " org.testcontainers:testcontainers-consul would be needed");
		}
		return DockerConsul.find();
	}

	/**
	 * A way to get a Consul.
	 *
	 * @param name what it is called in messages
	 * @param attempt what tries it
	 */
	record Way(String name, Attempt attempt) {

	}

	/**
	 * Tries one way.
	 */
	@FunctionalInterface
	interface Attempt {

		ConsulSource find() throws SourceUnavailableException;

	}

}
