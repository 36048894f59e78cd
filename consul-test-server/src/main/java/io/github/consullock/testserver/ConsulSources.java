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
				source = find(List.of(new Way("CONSUL_BINARY", ConsulSources::configured),
						new Way("a consul on the PATH", ConsulSources::onPath)));
				logger.info("Consul for tests: {}", source.description());
				found = source;
			}
			return source;
		}
		finally {
			LOCK.unlock();
		}
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

	private static ConsulSource configured() throws SourceUnavailableException {
		String value = Setting.BINARY.value();
		if (value == null) {
			throw new SourceUnavailableException("not set");
		}
		Path path = Path.of(value).toAbsolutePath();
		if (!Files.isExecutable(path) || Files.isDirectory(path)) {
			throw new SourceUnavailableException("'%s' is no executable file".formatted(value));
		}
		return new LocalConsul(ConsulBinary.of(path));
	}

	private static ConsulSource onPath() throws SourceUnavailableException {
		Path path = ConsulBinary.onPath("consul");
		if (path == null) {
			throw new SourceUnavailableException("none there");
		}
		return new LocalConsul(ConsulBinary.of(path));
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
