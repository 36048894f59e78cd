package io.github.consullock.benchmarks;

import java.util.ArrayList;
import java.util.List;

/**
 * What this library is to reach, as docs/performance.md states it, beside what was seen.
 */
final class Targets {

	private final Results results;

	private final List<Verdict> verdicts = new ArrayList<>();

	Targets(Results results) {
		this.results = results;
	}

	/**
	 * A target and what was seen.
	 *
	 * @param what what was measured
	 * @param wanted the target
	 * @param seen the median
	 * @param met whether it is reached
	 */
	record Verdict(String what, String wanted, double seen, boolean met) {
	}

	/** Of the targets that were measured. */
	List<Verdict> verdicts() {
		for (StoreKind kind : List.of(StoreKind.CONSUL_MEMORY, StoreKind.CONSUL_DISK)) {
			ownKeys(kind);
			oneKey(kind);
			loss(kind);
		}
		many();
		insideTheJvm();
		soak();
		return this.verdicts;
	}

	private void ownKeys(StoreKind kind) {
		Row ours = new Row(ConsulLockContender.NAME, kind);
		Row floor = new Row(RawFloor.NAME, kind);
		String one = kind + ", 1 thread: ";
		// Renewals and watches of the session come on top, some in a second.
		atMost(one + Sample.REQUESTS, 2.05, get("own-1", ours, Sample.REQUESTS));
		atMost(one + Sample.WRITES, 2.05, get("own-1", ours, Sample.WRITES));
		atMost(one + "CPU, of the floor's", 4, get("own-1", ours, Sample.CPU) / get("own-1", floor, Sample.CPU));
		double pairs = get("own-1", ours, Sample.PAIRS);
		atLeast(one + "pairs/s, of the floor's", 0.9, pairs / get("own-1", floor, Sample.PAIRS));
		atLeast(one + "pairs/s, of Go's with a shared session", 3,
				pairs / get("own-1", new Row(GoContender.SHARED, kind), Sample.PAIRS));
		for (int threads : new int[] { 8, 64 }) {
			String own = "own-" + threads;
			atLeast(kind + ", " + threads + " threads, own keys: pairs/s, of the floor's", 0.85,
					get(own, ours, Sample.PAIRS) / get(own, floor, Sample.PAIRS));
		}
		atMost(kind + ", 8 threads, one key: " + Sample.REQUESTS, 1.1, get("one-jvm-8", ours, Sample.REQUESTS));
		atLeast(kind + ", 8 threads, one key: pairs/s, of the floor's with 1 thread", 1.7,
				get("one-jvm-8", ours, Sample.PAIRS) / get("own-1", floor, Sample.PAIRS));
	}

	private void oneKey(StoreKind kind) {
		Row ours = new Row(ConsulLockContender.NAME, kind);
		Row floor = new Row(HandOverFloor.NAME, kind);
		for (int clients : new int[] { 2, 8, 32 }) {
			String id = "clients-" + clients;
			String what = kind + ", " + clients + " clients, one key: ";
			atMost(what + Sample.WRITES, 2.3, get(id, ours, Sample.WRITES));
			atMost(what + "hand-over p50, of the floor's", 1.25,
					get(id, ours, Sample.HAND_OVER) / get(id, floor, Sample.HAND_OVER));
			atMost(what + "shares, " + Sample.SHARES, 1.2, get(id, ours, Sample.SHARES));
		}
		atLeast(kind + ", 32 clients, one key: pairs/s, of those of 2 clients", 0.8,
				get("clients-32", ours, Sample.PAIRS) / get("clients-2", ours, Sample.PAIRS));
	}

	private void loss(StoreKind kind) {
		Row ours = new Row(ConsulLockContender.NAME, kind);
		String told = Loss.TOLD + " p50 µs";
		atMost(kind + ", loss: told p50, of the floor's", 2,
				get("loss", ours, told) / get("loss", new Row(RawFloor.NAME, kind), told));
		atMost(kind + ", loss: body interrupted p99, ms after told p99", 10,
				(get("loss", ours, Loss.INTERRUPTED + " p99 µs") - get("loss", ours, Loss.TOLD + " p99 µs")) / 1e3);
	}

	private void many() {
		Row ours = new Row(ConsulLockContender.NAME, StoreKind.CONSUL_MEMORY);
		atMost("locks held: more threads (100 watches and 10)", 110, get("held", ours, Held.THREADS));
		atMost("locks held: sockets (100 watches and 10)", 110, get("held", ours, Held.SOCKETS));
		atMost("locks held: requests/s, a minute later", 20, get("held", ours, Held.LATER));
		atMost("locks held: heap bytes a lock", 2048, get("held", ours, Held.HEAP));
		atLeast("keys waited for: served, of all", 1, get("waited", ours, Waited.SERVED));
		atMost("keys waited for: sockets (100 watches, 64 for requests, and 10)", 174,
				get("waited", ours, Waited.SOCKETS));
		atMost("keys waited for, most of them polled: wake-up p50 ms", 300, get("waited", ours, Waited.WAKE_UP));
	}

	private void insideTheJvm() {
		for (String value : List.of(AnnotationCalls.TIME, AnnotationCalls.BYTES)) {
			double registry = get("annotation", AnnotationCalls.REGISTRY, value);
			boolean time = value.equals(AnnotationCalls.TIME);
			atMost("annotation, plain key: more " + value, time ? 3 : 2048,
					get("annotation", AnnotationCalls.PLAIN_KEY, value) - registry);
			if (time) {
				atMost("annotation, SpEL key: more " + value, 10,
						get("annotation", AnnotationCalls.SPEL_KEY, value) - registry);
			}
		}
		atMost("start: ms more than Boot with Spring Cloud Consul", 100,
				get("start", StartUp.STARTER, StartUp.READY) - get("start", StartUp.CLOUD, StartUp.READY));
		atMost("start: requests to Consul", 0, get("start", StartUp.STARTER, StartUp.REQUESTS));
	}

	private void soak() {
		atMost("soak: MB of heap more at the end than after 10 %", 5,
				get("soak", Soak.after(10), Soak.HEAP) - get("soak", Soak.after(1), Soak.HEAP));
		atMost("soak: keys left in Consul", 0, get("soak", Row.of(Soak.END), Soak.KEYS_LEFT));
		atMost("soak: sessions left in Consul", 0, get("soak", Row.of(Soak.END), Soak.SESSIONS_LEFT));
	}

	private double get(String experiment, Row row, String name) {
		return this.results.median(experiment, row, name);
	}

	private void atMost(String what, double wanted, double seen) {
		add(what, "at most " + Spread.format(wanted), seen, seen <= wanted);
	}

	private void atLeast(String what, double wanted, double seen) {
		add(what, "at least " + Spread.format(wanted), seen, seen >= wanted);
	}

	private void add(String what, String wanted, double seen, boolean met) {
		if (!Double.isNaN(seen)) {
			this.verdicts.add(new Verdict(what, wanted, seen, met));
		}
	}

}
