package io.github.consullock.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * A value over all rounds.
 *
 * @param median the middle one, or no number if there is none
 * @param least the least
 * @param most the greatest
 */
record Spread(double median, double least, double most) {

	static Spread of(List<Sample> samples, String name) {
		double[] values = samples.stream()
			.mapToDouble((sample) -> sample.get(name))
			.filter((value) -> !Double.isNaN(value))
			.sorted()
			.toArray();
		if (values.length == 0) {
			return new Spread(Double.NaN, Double.NaN, Double.NaN);
		}
		double median = (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
		return new Spread(median, values[0], values[values.length - 1]);
	}

	static String format(double value) {
		double size = Math.abs(value);
		return String.format(Locale.ROOT, (size >= 100) ? "%,.0f" : (size >= 10) ? "%.1f" : "%.2f", value);
	}

	@Override
	public String toString() {
		if (Double.isNaN(this.median)) {
			return "";
		}
		String middle = format(this.median);
		return (this.least < this.most) ? middle + " (" + format(this.least) + "–" + format(this.most) + ")" : middle;
	}

}
