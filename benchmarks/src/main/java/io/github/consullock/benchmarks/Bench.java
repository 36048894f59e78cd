package io.github.consullock.benchmarks;

import java.util.List;

/**
 * What an experiment has to work with.
 *
 * @param settings how much to measure
 * @param contenders those that can be had here
 * @param stores those that can be had here, running
 * @param results where to put what was measured
 */
record Bench(Settings settings, List<Contender> contenders, List<Store> stores, Results results) {

	/** One of the stores. */
	Store store(StoreKind kind) throws MissingException {
		return this.stores.stream()
			.filter((store) -> store.kind() == kind)
			.findFirst()
			.orElseThrow(() -> new MissingException("there is no " + kind));
	}

}
