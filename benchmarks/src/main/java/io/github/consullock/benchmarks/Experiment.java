package io.github.consullock.benchmarks;

/**
 * Something that is measured.
 */
interface Experiment {

	/** As it stands above its table. */
	String title();

	/** Names its plot. */
	String id();

	/** Which value the plot shows. */
	String plotted();

	/** Measures all of it. */
	void run(Bench bench) throws Exception;

}
