package io.github.consullock.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One scenario of the fault lab: how often it happens, and what was counted and measured.
 * With {@code -Pfaults} it is long, and leaves a row for the report.
 */
final class Scenario {

	private static final boolean LONG = "long".equals(System.getProperty("consul.lock.faults"));

	private static final Path REPORT = Path.of("target", "faults");

	private final String name;

	private final Map<String, AtomicLong> counts = Collections.synchronizedMap(new LinkedHashMap<>());

	private final Map<String, List<Long>> times = new ConcurrentHashMap<>();

	Scenario(String name) {
		this.name = name;
	}

	/** How often something happens, in the short form and in the long one. */
	static int times(int inShort, int inLong) {
		return LONG ? inLong : inShort;
	}

	/** Whether this is the long form. */
	static boolean isInFull() {
		return LONG;
	}

	void count(String what) {
		this.counts.computeIfAbsent(what, (key) -> new AtomicLong()).incrementAndGet();
	}

	long counted(String what) {
		AtomicLong count = this.counts.get(what);
		return (count != null) ? count.get() : 0;
	}

	void measured(String what, Duration time) {
		this.times.computeIfAbsent(what, (key) -> Collections.synchronizedList(new ArrayList<>())).add(time.toNanos());
	}

	/** Leaves what was counted and measured. */
	void end() {
		List<String> cells = new ArrayList<>();
		this.counts.forEach((what, count) -> cells.add(count + " " + what));
		this.times.forEach((what, values) -> {
			List<Long> sorted = values.stream().sorted().toList();
			cells.add(String.format(Locale.ROOT, "%s: median %s, most %s of %d", what,
					millis(sorted, sorted.size() / 2), millis(sorted, sorted.size() - 1), sorted.size()));
		});
		String row = "| " + this.name + " | " + String.join("; ", cells) + " |";
		System.out.println(row);
		try {
			Files.createDirectories(REPORT);
			Files.writeString(REPORT.resolve(this.name.replaceAll("[^a-z0-9]+", "-") + (LONG ? ".long.md" : ".md")),
					row + "\n");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static String millis(List<Long> sorted, int position) {
		return Math.round(sorted.get(position) / 1e6) + " ms";
	}

}
