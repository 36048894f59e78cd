package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The package {@code consul} of Debian 11, the last Debian to have one, kept in a cache
 * folder of the user. Nothing is installed, and no rights are needed. The mirror is the
 * one that this system's apt uses, and apt checks the archive's signature.
 */
final class DebianPackage {

	private static final Logger logger = LoggerFactory.getLogger(DebianPackage.class);

	private static final String RELEASE = "bullseye";

	private static final String NAME = "consul";

	/** Work that somebody who was killed left behind starts with this. */
	private static final String UNFINISHED = "unfinished-";

	private static final Duration QUICK = Duration.ofMinutes(1);

	private static final Duration FETCH = Duration.ofMinutes(10);

	private final Path cache;

	private final @Nullable Path keyring;

	/**
	 * A package in a cache folder.
	 * @param cache the folder, created when needed
	 * @param keyring the keys of the archive, null if there are none on this system
	 */
	DebianPackage(Path cache, @Nullable Path keyring) {
		this.cache = cache;
		this.keyring = keyring;
	}

	static DebianPackage ofUser() {
		String base = System.getenv("XDG_CACHE_HOME");
		Path caches = (base == null || base.isBlank()) ? Path.of(System.getProperty("user.home"), ".cache")
				: Path.of(base);
		return new DebianPackage(caches.resolve("consul-lock").resolve("debian-11"), archiveKeyring());
	}

	static @Nullable Path archiveKeyring() {
		for (String name : List.of("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")) {
			Path candidate = Path.of("/usr/share/keyrings", name);
			if (Files.isReadable(candidate)) {
				return candidate;
			}
		}
		return null;
	}

	/**
	 * Finds the executable, fetching the package if it is not in the cache.
	 * @return the executable
	 * @throws SourceUnavailableException if it cannot be had
	 */
	Path executable() throws SourceUnavailableException {
		for (String tool : List.of("apt-get", "dpkg")) {
			if (ConsulBinary.onPath(tool) == null) {
				throw new SourceUnavailableException("this is no Debian, %s is not on the PATH".formatted(tool));
			}
		}
		try {
			String architecture = ExternalCommand.of("dpkg", "--print-architecture").run(QUICK);
			Path cached = cached(architecture);
			return (cached != null) ? cached : fetchAlone(architecture);
		}
		catch (IOException ex) {
			throw new SourceUnavailableException(
					"the package %s of Debian 11 could not be had: %s".formatted(NAME, ex.getMessage()));
		}
	}

	private @Nullable Path cached(String architecture) throws IOException {
		if (!Files.isDirectory(this.cache)) {
			return null;
		}
		try (DirectoryStream<Path> versions = Files.newDirectoryStream(this.cache, NAME + "_*_" + architecture)) {
			for (Path version : versions) {
				Path executable = executableIn(version);
				if (Files.isExecutable(executable)) {
					return executable;
				}
			}
		}
		return null;
	}

	private static Path executableIn(Path version) {
		return version.resolve("usr").resolve("bin").resolve(NAME);
	}

	/** Two JVMs, as in a parallel build, fetch once. */
	private Path fetchAlone(String architecture) throws IOException, SourceUnavailableException {
		Files.createDirectories(this.cache);
		try (FileChannel channel = FileChannel.open(this.cache.resolve("lock"), StandardOpenOption.CREATE,
				StandardOpenOption.WRITE); FileLock lock = channel.lock()) {
			logger.debug("Holding {}", lock);
			Path cached = cached(architecture);
			if (cached != null) {
				return cached;
			}
			try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(this.cache, UNFINISHED + "*")) {
				unfinished.forEach(Directories::delete);
			}
			Path work = Files.createTempDirectory(this.cache, UNFINISHED);
			try {
				return fetch(work);
			}
			finally {
				Directories.delete(work);
			}
		}
	}

	private Path fetch(Path work) throws IOException, SourceUnavailableException {
		Path keys = this.keyring;
		if (keys == null) {
			throw new SourceUnavailableException(
					"the keys of Debian's archive are not here: install the package debian-archive-keyring");
		}
		List<String> mirrors = AptMirrors.of(work).find();
		if (mirrors.isEmpty()) {
			throw new SourceUnavailableException("apt's sources name no Debian mirror, see /etc/apt/sources.list.d");
		}
		List<String> failures = new ArrayList<>();
		for (String mirror : mirrors) {
			try {
				return fetch(mirror, keys, Files.createTempDirectory(work, "mirror-"));
			}
			catch (IOException ex) {
				logger.debug("No package from {}", mirror, ex);
				failures.add("from %s: %s".formatted(mirror, ex.getMessage()));
			}
		}
		throw new SourceUnavailableException("""
				the package of Debian 11 could not be fetched (a mirror may have dropped that release once it is \
				archived; then a consul of your own is needed) %s""".formatted(String.join("; ", failures)));
	}

	private Path fetch(String mirror, Path keys, Path work) throws IOException {
		logger.info("Fetching Consul, once, from Debian 11 at {} into {}; this can take a minute", mirror, this.cache);
		PrivateApt apt = PrivateApt.create(work, "deb [signed-by=%s] %s %s main".formatted(keys, mirror, RELEASE));
		apt.run(FETCH, "update");
		apt.run(FETCH, "download", NAME);
		Path packageFile = packageIn(apt.directory());
		String version = packageFile.getFileName().toString().replaceFirst("\\.deb$", "");
		Path unpacked = work.resolve("unpacked");
		ExternalCommand.of("dpkg", "-x", packageFile.toString(), unpacked.toString()).run(QUICK);
		if (!Files.isExecutable(executableIn(unpacked))) {
			throw new IOException("%s has no executable usr/bin/%s".formatted(version, NAME));
		}
		// In one step: whoever sees the folder sees all of it.
		Path target = this.cache.resolve(version);
		Directories.delete(target);
		Files.move(unpacked, target, StandardCopyOption.ATOMIC_MOVE);
		logger.info("Fetched {}", version);
		return executableIn(target);
	}

	private static Path packageIn(Path directory) throws IOException {
		try (DirectoryStream<Path> packages = Files.newDirectoryStream(directory, NAME + "_*.deb")) {
			for (Path each : packages) {
				return each;
			}
		}
		throw new IOException("apt-get download left no package in " + directory);
	}

}
