package io.github.consullock.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Runs the experiments and writes what they measured.
 */
public final class Benchmarks {

	static final List<Contender> CONTENDERS = List.of(new RawFloor(), new HandOverFloor(), new ConsulLockContender(),
			GoContender.withSharedSession(), GoContender.withDefaults(), new SessionPerLock(), new RedissonContender(),
			new SpringRedisContender(), new CuratorContender(), new EtcdContender());

	private static final Duration WARM_UP = Duration.ofSeconds(5);

	private Benchmarks() {
	}

	/**
	 * Runs from the root of the project.
	 * @param args see {@link Settings#USAGE}
	 * @throws Exception if nothing can be measured or written
	 */
	@SuppressWarnings("SystemOut") // How to call it.
	public static void main(String[] args) throws Exception {
		Settings settings;
		try {
			settings = Settings.of(args);
		}
		catch (IllegalArgumentException ex) {
			System.err.println(ex.getMessage());
			System.exit(2);
			return;
		}
		Results results = new Results();
		List<Experiment> experiments = experiments(settings);
		List<Contender> contenders = contenders(settings, results);
		List<Store> stores = stores(contenders, experiments, results);
		try {
			Bench bench = new Bench(settings, contenders, stores, results);
			warmUp(bench, experiments);
			for (Experiment experiment : experiments) {
				Console.say("== %s", experiment.title());
				try {
					experiment.run(bench);
				}
				catch (MissingException ex) {
					results.note("Skipped: " + experiment.id() + ": " + ex.getMessage());
				}
				write(bench, args);
			}
		}
		finally {
			stores.forEach(Store::close);
		}
		// Some clients leave threads behind.
		System.exit(0);
	}

	/**
	 * Until each contender's code is compiled, which takes longer than the pause before a
	 * measurement.
	 */
	private static void warmUp(Bench bench, List<Experiment> experiments) {
		Settings settings = bench.settings();
		if (!settings.quick() && experiments.stream().anyMatch(SideBySide.class::isInstance)) {
			Console.say("== To warm up");
			Settings once = new Settings(false, false, 1, WARM_UP, WARM_UP, settings.experiments(),
					settings.contenders(), settings.output());
			Pairs.ownKeys(8).run(new Bench(once, bench.contenders(), bench.stores(), new Results()));
		}
	}

	private static List<Experiment> experiments(Settings settings) {
		List<Experiment> all = new ArrayList<>(List.of(Pairs.ownKeys(1), Pairs.ownKeys(8), Pairs.ownKeys(64),
				Pairs.oneKeyOneJvm(8), Pairs.oneKey(2), Pairs.oneKey(8), Pairs.oneKey(32), new Held(), new Waited(),
				new Loss(), new AnnotationCalls(), new StartUp()));
		if (settings.soak()) {
			all.add(new Soak());
		}
		return all.stream().filter((experiment) -> settings.experiments().test(experiment.id())).toList();
	}

	private static List<Contender> contenders(Settings settings, Results results) {
		List<Contender> present = new ArrayList<>();
		for (Contender contender : CONTENDERS) {
			if (settings.contenders().test(contender.name())) {
				try {
					contender.prepare();
					present.add(contender);
				}
				catch (MissingException ex) {
					results.note("Skipped: " + contender.name() + ": " + ex.getMessage());
				}
			}
		}
		return present;
	}

	private static List<Store> stores(List<Contender> contenders, List<Experiment> experiments, Results results)
			throws Exception {
		Set<StoreKind> wanted = new TreeSet<>();
		if (experiments.stream().anyMatch(SideBySide.class::isInstance)) {
			contenders.forEach((contender) -> wanted.addAll(contender.stores()));
		}
		wanted.add(StoreKind.CONSUL_MEMORY);
		List<Store> stores = new ArrayList<>();
		for (StoreKind kind : wanted) {
			try {
				stores.add(kind.start());
			}
			catch (MissingException ex) {
				results.note("Skipped: " + kind + ": " + ex.getMessage());
			}
		}
		return stores;
	}

	/** Again after each experiment, so that what was measured is there if one fails. */
	private static void write(Bench bench, String[] args) throws IOException, InterruptedException {
		Path folder = bench.settings().output();
		Files.createDirectories(folder);
		bench.results().writeCsv(folder.resolve("results.csv"));
		new Report(bench.results()).write(folder.resolve("results.md"), head(bench, args));
		Charts.write(bench.results(), folder);
		Console.say("Results so far: %s", folder.resolve("results.md"));
	}

	private static List<String> head(Bench bench, String[] args) throws IOException, InterruptedException {
		List<String> head = new ArrayList<>();
		head.add(LocalDateTime.now().truncatedTo(ChronoUnit.MINUTES) + ", `benchmarks/run "
				+ String.join(" ", Arrays.asList(args)) + "`, at commit "
				+ ServerProcess.output("git", "describe", "--always", "--dirty"));
		try (Stream<String> cpu = Files.lines(Path.of("/proc/cpuinfo"))) {
			head.add(cpu.filter((line) -> line.startsWith("model name")).findFirst().orElse("").replaceFirst(".*: ", "")
					+ ", " + Runtime.getRuntime().availableProcessors() + " cores, " + System.getProperty("os.name")
					+ " " + System.getProperty("os.version") + ", Java " + System.getProperty("java.runtime.version"));
		}
		bench.stores().forEach((store) -> head.add(store.kind() + ": " + store.version()));
		bench.contenders()
			.stream()
			.filter((contender) -> !contender.version().isEmpty())
			.forEach((contender) -> head.add(contender.name() + ": " + contender.version()));
		return head;
	}

}
