package io.github.consullock.testserver;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * A Consul on this machine.
 *
 * @param path the executable
 * @param major the first number of its version
 * @param minor the second number of its version
 */
record ConsulBinary(Path path, int major, int minor) {

	private static final Pattern VERSION = Pattern.compile("Consul v(\\d+)\\.(\\d+)");

	private static final Duration VERSION_TIMEOUT = Duration.ofSeconds(30);

	/**
	 * Asks an executable for its version.
	 * @param path the executable
	 * @return the binary
	 * @throws SourceUnavailableException if it is no Consul that runs here
	 */
	static ConsulBinary of(Path path) throws SourceUnavailableException {
		String output;
		try {
			output = ExternalCommand.of(path.toString(), "version").run(VERSION_TIMEOUT);
		}
		catch (IOException ex) {
			throw new SourceUnavailableException("%s does not run: %s".formatted(path, ex.getMessage()));
		}
		Matcher matcher = VERSION.matcher(output);
		if (!matcher.find()) {
			throw new SourceUnavailableException("%s is no Consul, its version reads '%s'".formatted(path, output));
		}
		return new ConsulBinary(path, Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
	}

	static @Nullable Path onPath(String name) {
		String path = System.getenv("PATH");
		if (path == null) {
			return null;
		}
		for (String directory : path.split(Pattern.quote(File.pathSeparator), -1)) {
			try {
				Path candidate = Path.of(directory.isEmpty() ? "." : directory).resolve(name);
				if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
					return candidate.toAbsolutePath();
				}
			}
			catch (InvalidPathException ex) {
				// Not a directory then; the system's own search passes over it as well.
				continue;
			}
		}
		return null;
	}

	boolean isAtLeast(int wantedMajor, int wantedMinor) {
		return this.major > wantedMajor || (this.major == wantedMajor && this.minor >= wantedMinor);
	}

}
