package io.github.consullock.benchmarks;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import org.HdrHistogram.Histogram;

/**
 * The time from the moment at which a session's destruction is sent until its holder
 * knows.
 */
final class Loss extends SideBySide {

	static final String TOLD = "told";

	static final String INTERRUPTED = "body interrupted";

	Loss() {
		super("loss", "A lost session", TOLD + " p50 µs", Set.of(StoreKind.CONSUL_MEMORY, StoreKind.CONSUL_DISK));
	}

	@Override
	Sample measure(Contender contender, Store store, String key, Settings settings) throws Exception {
		int warmUp = settings.size(20, 2);
		Map<String, Histogram> after = new TreeMap<>();
		try (LossProbe probe = contender.losses(store)) {
			for (int i = 0; i < warmUp + settings.size(100, 10); i++) {
				Map<String, Long> nanos = probe.lose(key + "/" + i);
				if (i >= warmUp) {
					nanos.forEach(
							(what, time) -> after.computeIfAbsent(what, (name) -> new Histogram(3)).recordValue(time));
				}
			}
		}
		Sample sample = new Sample();
		after.forEach(sample::putMicros);
		return sample;
	}

}
