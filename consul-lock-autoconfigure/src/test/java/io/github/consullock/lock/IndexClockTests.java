package io.github.consullock.lock;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Ages by indexes.
 */
class IndexClockTests {

	private static final long PACE = Duration.ofMillis(250).toNanos();

	private final IndexClock clock = new IndexClock();

	@Test
	void whatCameAfterAWriteIsNotOlderThanIt() {
		long sentAt = System.nanoTime();
		this.clock.wrote(5, sentAt);
		assertThat(this.clock.maxAge(6)).isLessThanOrEqualTo(System.nanoTime() - sentAt);
		assertThat(this.clock.maxAge(5)).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void anIndexThatWentBackwardsCounts() {
		long start = System.nanoTime();
		for (int i = 0; i < 100; i++) {
			this.clock.wrote(1000 + i, start + i * PACE);
		}
		this.clock.wrote(5, start + 100 * PACE);
		this.clock.wrote(7, start + 101 * PACE);
		assertThat(this.clock.maxAge(6)).isLessThan(Long.MAX_VALUE);
	}

}
