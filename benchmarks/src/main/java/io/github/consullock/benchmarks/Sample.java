package io.github.consullock.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;

import org.HdrHistogram.Histogram;

/**
 * What was measured once: values by their names, which tell the unit. For use by one
 * thread.
 */
final class Sample {

	static final String PAIRS = "pairs/s";

	static final String COUNT = "pairs";

	static final String CPU = "CPU µs/pair";

	static final String REQUESTS = "requests/pair";

	static final String WRITES = "writes/pair";

	static final String HAND_OVER = "hand-over p50 µs";

	static final String SHARES = "most/least";

	private final Map<String, Double> values = new LinkedHashMap<>();

	Sample put(String name, double value) {
		this.values.put(name, value);
		return this;
	}

	/** Adds the median and the 99th percentile of nanoseconds. */
	Sample putMicros(String what, Histogram nanos) {
		return put(what + " p50 µs", nanos.getValueAtPercentile(50) / 1e3).put(what + " p99 µs",
				nanos.getValueAtPercentile(99) / 1e3);
	}

	double get(String name) {
		return this.values.getOrDefault(name, Double.NaN);
	}

	Map<String, Double> values() {
		return this.values;
	}

}
