package io.github.consullock.benchmarks;

import java.util.Collection;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What the annotation costs on top of the registry, measured by JMH over the in-memory
 * client.
 */
final class AnnotationCalls implements Experiment {

	static final Row REGISTRY = Row.of("registry");

	static final Row PLAIN_KEY = Row.of("annotation, plain key");

	static final Row SPEL_KEY = Row.of("annotation, SpEL key");

	static final String TIME = "call p50 µs";

	static final String BYTES = "bytes/call";

	@Override
	public String id() {
		return "annotation";
	}

	@Override
	public String title() {
		return "An annotated call, over the in-memory client";
	}

	@Override
	public String plotted() {
		return TIME;
	}

	@Override
	public void run(Bench bench) throws Exception {
		boolean quick = bench.settings().quick();
		Options options = new OptionsBuilder().include(AnnotationBenchmark.class.getName() + ".*")
			.forks(1)
			.warmupIterations(quick ? 1 : 10)
			.measurementIterations(quick ? 1 : 5)
			.warmupTime(TimeValue.seconds(1))
			.measurementTime(TimeValue.seconds(1))
			.addProfiler(GCProfiler.class)
			.verbosity(VerboseMode.SILENT)
			.build();
		for (int round = 1; round <= bench.settings().rounds(); round++) {
			for (RunResult result : new Runner(options).run()) {
				Row row = switch (result.getParams().getBenchmark().replaceFirst(".*\\.", "")) {
					case "registry" -> REGISTRY;
					case "plainKey" -> PLAIN_KEY;
					default -> SPEL_KEY;
				};
				// Of all calls, so that what else the machine does makes no difference.
				double median = result.getPrimaryResult().getStatistics().getPercentile(50);
				bench.results()
					.add(this, row, round, new Sample().put(TIME, median / 1e3)
						.put(BYTES, allocated(result.getSecondaryResults().values())));
			}
		}
	}

	private static double allocated(Collection<? extends Result> results) {
		return results.stream()
			.filter((result) -> result.getLabel().endsWith("gc.alloc.rate.norm"))
			.mapToDouble(Result::getScore)
			.findFirst()
			.orElse(Double.NaN);
	}

}
