package io.github.consullock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The blocks of code in the Markdown pages of a folder and its {@code docs}, held against
 * the test sources of the modules below it.
 * <p>
 * The line before a block names its source, {@code <!-- example: ClassName#name -->}: the
 * lines between {@code // tag::name[]} and {@code // end::name[]} in the test class of
 * that name, or {@code file.go#name} for a program that tests run.
 */
final class DocsExamples {

	private static final Set<String> TESTED_LANGUAGES = Set.of("java", "kotlin", "go");

	private static final Pattern FENCE = Pattern.compile("\\s*(```+|~~~+)\\s*(\\w*).*");

	private static final Pattern MARKER = Pattern.compile("\\s*<!--\\s*example:\\s*(\\S+)#(\\S+)\\s*-->\\s*");

	private static final Pattern TAG = Pattern.compile("\\s*// (?:tag|end)::[\\w-]+\\[]\\s*");

	private static final Pattern TEST = Pattern
		.compile("^\\s*@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|TestTemplate)\\b", Pattern.MULTILINE);

	private final Path root;

	private final List<Path> sources;

	private final List<String> faults = new ArrayList<>();

	DocsExamples(Path root) {
		this.root = root;
		this.sources = list(root).stream()
			.map((module) -> module.resolve("src/test"))
			.filter(Files::isDirectory)
			.flatMap((tests) -> walk(tests).stream())
			.toList();
	}

	/** What is wrong, and where. */
	List<String> faults() {
		for (Path page : pages()) {
			check(page, lines(page));
		}
		return this.faults;
	}

	List<Path> pages() {
		return Stream.concat(list(this.root).stream(), list(this.root.resolve("docs")).stream())
			.filter((file) -> file.toString().endsWith(".md"))
			.toList();
	}

	private void check(Path page, List<String> lines) {
		String marker = null;
		for (int i = 0; i < lines.size(); i++) {
			String place = this.root.relativize(page) + ":" + (i + 1);
			Matcher fence = FENCE.matcher(lines.get(i));
			if (fence.matches()) {
				int end = i + 1;
				while (end < lines.size() && !lines.get(end).strip().equals(fence.group(1))) {
					end++;
				}
				check(place, fence.group(2).toLowerCase(Locale.ROOT), marker, text(lines.subList(i + 1, end)));
				marker = null;
				i = end;
			}
			else {
				unused(place, marker);
				marker = MARKER.matcher(lines.get(i)).matches() ? lines.get(i) : null;
			}
		}
		unused(page.toString(), marker);
	}

	private void unused(String place, String marker) {
		if (marker != null) {
			this.faults.add(place + ": no block of code follows " + marker);
		}
	}

	private void check(String place, String language, String marker, String text) {
		if (marker == null) {
			if (TESTED_LANGUAGES.contains(language)) {
				this.faults.add(place + ": the line before names no test, as <!-- example: ClassName#name --> does");
			}
			return;
		}
		Matcher parts = MARKER.matcher(marker);
		parts.matches();
		String name = parts.group(1);
		List<Path> found = this.sources.stream().filter((source) -> isSource(source, name)).toList();
		if (found.size() != 1) {
			this.faults.add(place + ": " + name + " is to be one test source, but there are " + found.size());
			return;
		}
		List<String> source = lines(found.get(0));
		if (!name.endsWith(".go") && !(name.endsWith("Tests") && TEST.matcher(String.join("\n", source)).find())) {
			this.faults.add(place + ": " + name + " has no test that is run");
		}
		String example = example(source, parts.group(2));
		if (example == null) {
			this.faults.add(place + ": " + name + " has no tag and end of '" + parts.group(2) + "'");
			return;
		}
		if (!example.equals(text)) {
			this.faults.add(place + ": the block is not " + name + "#" + parts.group(2) + ", which is\n" + example);
		}
	}

	private static boolean isSource(Path file, String name) {
		String fileName = file.getFileName().toString();
		return name.endsWith(".go") ? fileName.equals(name)
				: fileName.equals(name + ".java") || fileName.equals(name + ".kt");
	}

	/** What is tagged, in one part or several, or null if that is not there. */
	private static String example(List<String> source, String tag) {
		List<String> lines = new ArrayList<>();
		boolean found = false;
		boolean inside = false;
		for (String line : source) {
			if (line.strip().equals("// tag::" + tag + "[]")) {
				inside = true;
			}
			else if (line.strip().equals("// end::" + tag + "[]")) {
				found = found || inside;
				inside = false;
			}
			else if (inside && !TAG.matcher(line).matches()) {
				lines.add(line);
			}
		}
		return (found && !inside) ? text(lines) : null;
	}

	/** Without common indentation, nor blank lines at either end. */
	private static String text(List<String> lines) {
		int start = 0;
		int end = lines.size();
		while (start < end && lines.get(start).isBlank()) {
			start++;
		}
		while (end > start && lines.get(end - 1).isBlank()) {
			end--;
		}
		return String.join("\n", lines.subList(start, end)).stripIndent();
	}

	private static List<String> lines(Path file) {
		try {
			return Files.readAllLines(file);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static List<Path> list(Path folder) {
		try (Stream<Path> files = Files.list(folder)) {
			return files.sorted().toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static List<Path> walk(Path folder) {
		try (Stream<Path> files = Files.walk(folder)) {
			return files.filter(Files::isRegularFile).toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
