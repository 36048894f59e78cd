package io.github.consullock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Writes what was measured as Markdown: medians, with the range over the rounds, and
 * relative to the floor on the same store where there is one.
 */
final class Report {

	private final Results results;

	private final StringBuilder text = new StringBuilder();

	Report(Results results) {
		this.results = results;
	}

	void write(Path file, List<String> head) throws IOException {
		this.text.append("# Results\n\n");
		head.forEach((line) -> this.text.append("- ").append(line).append('\n'));
		if (!this.results.notes().isEmpty()) {
			this.text.append("\nNotes\n\n");
			this.results.notes().forEach((note) -> this.text.append("- ").append(note).append('\n'));
		}
		List<Targets.Verdict> verdicts = new Targets(this.results).verdicts();
		if (!verdicts.isEmpty()) {
			this.text.append("\n## Targets\n\n| what | target | seen | met |\n|---|---|---|---|\n");
			verdicts.forEach((verdict) -> line(List.of(verdict.what(), verdict.wanted(), Spread.format(verdict.seen()),
					verdict.met() ? "yes" : "**no**")));
		}
		this.results.experiments().forEach(this::table);
		Files.writeString(file, this.text);
	}

	private void table(Experiment experiment) {
		Map<Row, List<Sample>> rows = this.results.rows(experiment);
		Set<String> names = new LinkedHashSet<>();
		rows.values().forEach((samples) -> samples.forEach((sample) -> names.addAll(sample.values().keySet())));
		this.text.append("\n## ").append(experiment.title()).append("\n\n");
		this.text.append("| |").append(names.stream().map((name) -> " " + name + " |").collect(Collectors.joining()));
		this.text.append("\n|---|").append("---|".repeat(names.size())).append('\n');
		rows.keySet()
			.stream()
			.sorted(Comparator.comparing((row) -> (row.store() != null) ? row.store().ordinal() : 0))
			.forEach((row) -> this.text.append("| ")
				.append(row)
				.append(" |")
				.append(names.stream().map((name) -> " " + cell(rows, row, name) + " |").collect(Collectors.joining()))
				.append('\n'));
		this.text.append("\n![](").append(experiment.id()).append(".svg)\n");
	}

	private static String cell(Map<Row, List<Sample>> rows, Row row, String name) {
		Spread spread = Spread.of(rows.getOrDefault(row, List.of()), name);
		double floor = rows.keySet()
			.stream()
			.filter((other) -> other.name().startsWith(RawFloor.NAME) && other.store() == row.store()
					&& !other.equals(row))
			.mapToDouble((other) -> Spread.of(rows.getOrDefault(other, List.of()), name).median())
			.findFirst()
			.orElse(Double.NaN);
		boolean relative = !Double.isNaN(floor) && !Double.isNaN(spread.median());
		return relative ? spread + " ×" + Spread.format(spread.median() / floor) : spread.toString();
	}

	private void line(List<String> cells) {
		this.text.append(cells.stream().collect(Collectors.joining(" | ", "| ", " |\n")));
	}

}
