package io.github.consullock.interop;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds {@code src/test/go/lockdriver} with the Go of this machine, once in a JVM. Where
 * there is no Go, or its modules cannot be had, the tests that need it are skipped, and
 * say why; in a run of {@code .ci/run}, which gets Go wherever it can, they fail.
 */
final class GoBuild {

	private static final Logger logger = LoggerFactory.getLogger(GoBuild.class);

	/** Set by {@code .ci/run}. */
	private static final String CI = "CONSUL_LOCK_CI_RUN";

	/** Set by {@code .ci/run} where Go cannot be had: why. */
	private static final String NO_GO = "CONSUL_LOCK_NO_GO";

	private static final Duration DOWNLOAD_LIMIT = Duration.ofMinutes(3);

	private static final Duration BUILD_LIMIT = Duration.ofMinutes(5);

	/** As in {@code go.mod}. */
	private static final int MINOR_VERSION = 19;

	private static final Path SOURCE = Path.of("src/test/go/lockdriver");

	/** Of this JVM: several may run tests side by side. */
	private static final Path TARGET = Path.of("target/go/" + ProcessHandle.current().pid()).toAbsolutePath();

	private static @Nullable Path executable;

	private static @Nullable RuntimeException failure;

	private GoBuild() {
	}

	/**
	 * The executable. Where there can be none, the test that asks for it is skipped: to
	 * be called for each test, since of a class that is skipped as a whole reports say
	 * nothing.
	 */
	static Path executable() {
		if (failure != null) {
			throw failure;
		}
		if (executable == null) {
			try {
				executable = build();
			}
			catch (RuntimeException ex) {
				failure = ex;
				throw ex;
			}
		}
		return executable;
	}

	private static Path build() {
		Result version = go(DOWNLOAD_LIMIT, "version");
		Matcher matcher = Pattern.compile("go1\\.(\\d+)").matcher(version.output());
		if (version.status() != 0 || !matcher.find() || Integer.parseInt(matcher.group(1)) < MINOR_VERSION) {
			throw doWithout("it takes Go 1." + MINOR_VERSION + " or later on the PATH: " + version.output());
		}
		long start = System.nanoTime();
		Result download = go(DOWNLOAD_LIMIT, "mod", "download");
		if (download.status() != 0) {
			throw doWithout("the modules of Consul's Go client cannot be downloaded: " + download.output());
		}
		long downloaded = System.nanoTime();
		Path file = TARGET.resolve("lockdriver" + (File.separatorChar == '\\' ? ".exe" : ""));
		Result build = go(BUILD_LIMIT, "build", "-o", file.toString(), ".");
		if (build.status() != 0) {
			throw new IllegalStateException(SOURCE + " does not compile:\n" + build.output());
		}
		logger.info("{}: modules in {} ms, built in {} ms", version.output().strip(), (downloaded - start) / 1_000_000,
				(System.nanoTime() - downloaded) / 1_000_000);
		return file;
	}

	private static RuntimeException doWithout(String reason) {
		return doWithout(reason, System.getenv());
	}

	static RuntimeException doWithout(String reason, Map<String, String> environment) {
		String known = environment.get(NO_GO);
		if (known == null && environment.containsKey(CI)) {
			return new IllegalStateException("No test against Consul's Go client: " + reason);
		}
		return Assumptions.<RuntimeException>abort(
				"No test against Consul's Go client: " + Objects.requireNonNullElse(known, reason).strip());
	}

	private record Result(int status, String output) {
	}

	private static Result go(Duration limit, String... arguments) {
		try {
			Files.createDirectories(TARGET);
			Path output = TARGET.resolve("go-" + arguments[0] + ".txt");
			List<String> command = new ArrayList<>(List.of("go"));
			command.addAll(List.of(arguments));
			ProcessBuilder builder = new ProcessBuilder(command).directory(SOURCE.toFile())
				.redirectErrorStream(true)
				.redirectOutput(output.toFile());
			// No other Go is fetched, and no C compiler is needed.
			builder.environment()
				.putAll(Map.of("GOTOOLCHAIN", "local", "GOWORK", "off", "GOFLAGS", "-mod=readonly -buildvcs=false",
						"CGO_ENABLED", "0"));
			Process process = builder.start();
			if (!process.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
				process.descendants().forEach(ProcessHandle::destroyForcibly);
				process.destroyForcibly();
				return new Result(-1, "nothing after " + limit.toSeconds() + " s: " + Files.readString(output));
			}
			return new Result(process.exitValue(), Files.readString(output));
		}
		catch (IOException ex) {
			return new Result(-1, String.valueOf(ex.getMessage()));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return new Result(-1, "interrupted");
		}
	}

}
