package io.github.consullock.lock;

import java.util.List;

import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is known of those who wait, without a Consul.
 */
class ContendersTests {

	private final KvEntry first = entry("first", 1);

	private final KvEntry second = entry("second", 2);

	private final long longAgo = System.nanoTime() - Contenders.FRESH.multipliedBy(10).toNanos();

	private final Contenders both = new Contenders("root/", true, null, List.of(this.first, this.second), this.longAgo,
			this.longAgo);

	/** Or the one that comes next would take it for one that has stopped. */
	@Test
	void whoBecomesTheHeadHasNotBeenSilentBefore() {
		assertThat(this.both.without(this.first).headSince()).isGreaterThan(this.longAgo);
	}

	@Test
	void whoStaysTheHeadHasBeenSilentAsLongAsBefore() {
		assertThat(this.both.without(this.second).headSince()).isEqualTo(this.longAgo);
	}

	/** It has come again, and is behind those now that were behind it. */
	@Test
	void anEntryThatWasCreatedAnewIsNotTheOneThatWasThere() {
		KvSnapshot snapshot = new KvSnapshot(3, entry("first", 3));
		assertThat(this.both.with("root/first", snapshot).known()).isFalse();
		KvEntry proof = new KvEntry("root/first", "value", 0, "first", 1, 3);
		assertThat(this.both.with("root/first", new KvSnapshot(3, proof)).waiting()).containsExactly(proof,
				this.second);
	}

	private static KvEntry entry(String name, long index) {
		return new KvEntry("root/" + name, "value", 0, name, index, index);
	}

}
