package io.github.consullock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was measured, in the order of measuring. For use by one thread.
 */
final class Results {

	/** All samples of a row of an experiment. */
	private final Map<Experiment, Map<Row, List<Sample>>> samples = new LinkedHashMap<>();

	private final Set<String> notes = new LinkedHashSet<>();

	private final List<String> csv = new ArrayList<>(List.of("experiment,row,store,round,name,value"));

	void add(Experiment experiment, Row row, int round, Sample sample) {
		this.samples.computeIfAbsent(experiment, (key) -> new LinkedHashMap<>())
			.computeIfAbsent(row, (key) -> new ArrayList<>())
			.add(sample);
		String store = (row.store() != null) ? row.store().toString() : "";
		sample.values()
			.forEach((name, value) -> this.csv
				.add("%s,\"%s\",\"%s\",%d,%s,%s".formatted(experiment.id(), row.name(), store, round, name, value)));
		Console.say("%s, %s, %d: %s", experiment.id(), row, round, sample.values());
	}

	void failed(Experiment experiment, Row row, int round, Throwable cause) {
		note("Failed: " + experiment.id() + ", " + row + ", round " + round + ": " + cause);
	}

	/** Something to say beside the figures. */
	void note(String text) {
		this.notes.add(text);
		Console.say("%s", text);
	}

	Set<String> notes() {
		return this.notes;
	}

	Set<Experiment> experiments() {
		return this.samples.keySet();
	}

	Map<Row, List<Sample>> rows(Experiment experiment) {
		return this.samples.getOrDefault(experiment, Map.of());
	}

	/** The median of a value, or no number if it was not measured. */
	double median(String experiment, Row row, String name) {
		return this.samples.entrySet()
			.stream()
			.filter((entry) -> entry.getKey().id().equals(experiment))
			.map((entry) -> Spread.of(entry.getValue().getOrDefault(row, List.of()), name).median())
			.findFirst()
			.orElse(Double.NaN);
	}

	void writeCsv(Path file) throws IOException {
		Files.write(file, this.csv);
	}

}
