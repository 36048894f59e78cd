package io.github.consullock.benchmarks;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;

/**
 * Draws a plot of each experiment.
 */
final class Charts {

	/** Beyond it, small ones cannot be seen on a linear axis. */
	private static final int LOGARITHMIC = 30;

	private Charts() {
	}

	static void write(Results results, Path folder) throws IOException {
		for (Experiment experiment : results.experiments()) {
			List<String> rows = new ArrayList<>();
			List<Double> medians = new ArrayList<>();
			List<Double> deviations = new ArrayList<>();
			results.rows(experiment).forEach((row, samples) -> {
				Spread spread = Spread.of(samples, experiment.plotted());
				if (spread.median() > 0) {
					rows.add(row.toString());
					medians.add(spread.median());
					// What reaches down to zero cannot be drawn on a logarithmic axis.
					deviations.add(Math.min((spread.most() - spread.least()) / 2, spread.median() * 0.9));
				}
			});
			if (!rows.isEmpty()) {
				CategoryChart chart = new CategoryChartBuilder().width(900)
					.height(600)
					.title(experiment.title())
					.yAxisTitle(experiment.plotted())
					.build();
				double least = medians.stream().mapToDouble(Double::doubleValue).min().orElse(0);
				double most = medians.stream().mapToDouble(Double::doubleValue).max().orElse(0);
				chart.getStyler().setXAxisLabelRotation(60);
				chart.getStyler().setChartBackgroundColor(Color.WHITE);
				if (most > LOGARITHMIC * least) {
					chart.getStyler().setYAxisLogarithmic(true);
					// Bars begin at zero otherwise.
					chart.getStyler().setYAxisMin(Math.pow(10, Math.floor(Math.log10(least)) - 1));
				}
				chart.getStyler().setLegendVisible(false);
				chart.addSeries(experiment.plotted(), rows, medians, deviations);
				VectorGraphicsEncoder.saveVectorGraphic(chart, folder.resolve(experiment.id()).toString(),
						VectorGraphicsFormat.SVG);
			}
		}
	}

}
