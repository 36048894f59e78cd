package io.github.consullock.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * How much is measured.
 *
 * @param quick whether only to see that all works
 * @param soak whether to take the long run too
 * @param rounds how often contenders take turns
 * @param warmUp before each measurement
 * @param measured how long each measurement takes
 * @param experiments which to run, by their ids
 * @param contenders which take part, by their names
 * @param output the folder for the results
 */
record Settings(boolean quick, boolean soak, int rounds, Duration warmUp, Duration measured,
		Predicate<String> experiments, Predicate<String> contenders, Path output) {

	static final String USAGE = """
			Usage: benchmarks/run [option]...
			  --quick                  a second for each measurement, once, to see that all works
			  --soak                   a million acquisitions over 100,000 keys as well
			  --rounds=N               how often contenders take turns; default 3
			  --seconds=N              how long a measurement takes; default 4, after half of that to warm up
			  --experiments=PATTERN    those alone whose id has a match of this pattern
			  --contenders=PATTERN     those alone whose name has a match of this pattern
			  --output=FOLDER          where the results go; default: benchmarks/target/results/<now>""";

	static Settings of(String[] args) {
		boolean quick = Arrays.asList(args).contains("--quick");
		boolean soak = Arrays.asList(args).contains("--soak");
		int rounds = quick ? 1 : 3;
		Duration measured = Duration.ofSeconds(quick ? 1 : 4);
		Predicate<String> experiments = (id) -> true;
		Predicate<String> contenders = (name) -> true;
		String now = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm", Locale.ROOT));
		Path output = Path.of("benchmarks", "target", "results", now);
		for (String arg : args) {
			String value = arg.substring(arg.indexOf('=') + 1);
			switch (arg.replaceFirst("=.*", "=")) {
				case "--quick", "--soak" -> {
				}
				case "--rounds=" -> rounds = Integer.parseInt(value);
				case "--seconds=" -> measured = Duration.ofSeconds(Integer.parseInt(value));
				case "--experiments=" -> experiments = Pattern.compile(value).asPredicate();
				case "--contenders=" -> contenders = Pattern.compile(value).asPredicate();
				case "--output=" -> output = Path.of(value);
				default -> throw new IllegalArgumentException(USAGE);
			}
		}
		return new Settings(quick, soak, rounds, measured.dividedBy(2), measured, experiments, contenders, output);
	}

	/** A size that is smaller in a quick run. */
	int size(int full, int quickly) {
		return this.quick ? quickly : full;
	}

}
