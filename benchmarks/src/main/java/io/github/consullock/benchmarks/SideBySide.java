package io.github.consullock.benchmarks;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * An experiment in which contenders take turns: each round begins with another one.
 */
abstract class SideBySide implements Experiment {

	private final String id;

	private final String title;

	private final String plotted;

	private final Set<StoreKind> kinds;

	SideBySide(String id, String title, String plotted, Set<StoreKind> kinds) {
		this.id = id;
		this.title = title;
		this.plotted = plotted;
		this.kinds = kinds;
	}

	/**
	 * Measures one contender once.
	 * @param key for it alone
	 */
	abstract Sample measure(Contender contender, Store store, String key, Settings settings) throws Exception;

	/** How often each contender has its turn. */
	int rounds(Settings settings) {
		return settings.rounds();
	}

	@Override
	public final void run(Bench bench) {
		List<Turn> turns = new ArrayList<>();
		for (Store store : bench.stores()) {
			for (Contender contender : bench.contenders()) {
				boolean possible = this.kinds.contains(store.kind()) && contender.stores().contains(store.kind());
				if (possible && contender.suits(this)) {
					turns.add(new Turn(contender, store));
				}
			}
		}
		for (int round = 1; round <= rounds(bench.settings()); round++) {
			for (Turn turn : turns) {
				Row row = new Row(turn.contender().name(), turn.store().kind());
				try {
					String key = "bench/" + this.id + "/" + round + "/" + turns.indexOf(turn);
					Sample sample = measure(turn.contender(), turn.store(), key, bench.settings());
					bench.results().add(this, row, round, sample);
				}
				catch (Exception ex) {
					bench.results().failed(this, row, round, ex);
				}
			}
			if (!turns.isEmpty()) {
				Collections.rotate(turns, 1);
			}
		}
	}

	@Override
	public final String id() {
		return this.id;
	}

	@Override
	public final String title() {
		return this.title;
	}

	@Override
	public final String plotted() {
		return this.plotted;
	}

	private record Turn(Contender contender, Store store) {
	}

}
