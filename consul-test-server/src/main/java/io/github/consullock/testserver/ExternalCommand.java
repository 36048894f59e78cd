package io.github.consullock.testserver;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * A short-lived command: what it prints is its result, or the message of its failure.
 */
final class ExternalCommand {

	private final List<String> command;

	private final @Nullable Path directory;

	private ExternalCommand(List<String> command, @Nullable Path directory) {
		this.command = List.copyOf(command);
		this.directory = directory;
	}

	static ExternalCommand of(List<String> command) {
		return new ExternalCommand(command, null);
	}

	static ExternalCommand of(String... command) {
		return of(List.of(command));
	}

	ExternalCommand in(Path workingDirectory) {
		return new ExternalCommand(this.command, workingDirectory);
	}

	/**
	 * Runs the command to its end.
	 * @param timeout the bound on waiting for it
	 * @return what it printed, errors included
	 * @throws IOException if it cannot be run, fails, or takes longer
	 */
	String run(Duration timeout) throws IOException {
		// A file, since a pipe would have to be read beside the wait for the end.
		Path output = Files.createTempFile("consul-test-", ".out");
		try {
			return run(timeout, output);
		}
		finally {
			Files.deleteIfExists(output);
		}
	}

	private String run(Duration timeout, Path output) throws IOException {
		ProcessBuilder builder = new ProcessBuilder(this.command).redirectErrorStream(true)
			.redirectOutput(output.toFile());
		if (this.directory != null) {
			builder.directory(this.directory.toFile());
		}
		// The output is read by a program.
		builder.environment().putAll(Map.of("LC_ALL", "C", "DEBIAN_FRONTEND", "noninteractive"));
		Process process = builder.start();
		try {
			process.getOutputStream().close();
			if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
				throw new IOException("'%s' did not end within %s: %s".formatted(String.join(" ", this.command),
						timeout, read(output)));
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new InterruptedIOException("Interrupted while waiting for '%s'".formatted(this.command.get(0)));
		}
		finally {
			process.destroyForcibly();
		}
		if (process.exitValue() != 0) {
			throw new IOException("'%s' ended with %d: %s".formatted(String.join(" ", this.command),
					process.exitValue(), read(output)));
		}
		return read(output);
	}

	private static String read(Path output) throws IOException {
		return new String(Files.readAllBytes(output), Charset.defaultCharset()).strip();
	}

}
