package io.github.consullock.sample;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class DeliveriesTests {

	private final AtomicLong nanoTime = new AtomicLong(Long.MAX_VALUE);

	private final Deliveries deliveries = new Deliveries("A", this.nanoTime::get);

	@Test
	void listsWhatWaitsAndForHowLong() {
		this.deliveries.begin("slow");
		passMillis(70);
		assertThat(this.deliveries.list())
			.containsExactly(new Delivery(1, "slow", "A", DeliveryState.WAITING, 70, null, null, null));
	}

	@Test
	void listsWhatIsDeliveredAndHowLongItWaited() {
		Deliveries.Progress progress = this.deliveries.begin("slow");
		passMillis(70);
		progress.delivering(42);
		passMillis(30);
		assertThat(this.deliveries.list())
			.containsExactly(new Delivery(1, "slow", "A", DeliveryState.DELIVERING, 100, 70L, 42L, null));
	}

	@Test
	void whatHasEndedStaysAsItWas() {
		Deliveries.Progress progress = this.deliveries.begin("slow");
		passMillis(70);
		progress.delivering(42);
		passMillis(30);
		Delivery ended = progress.ended(DeliveryState.CANCELLED, "SESSION_INVALIDATED");
		passMillis(1000);
		assertThat(ended)
			.isEqualTo(new Delivery(1, "slow", "A", DeliveryState.CANCELLED, 100, 70L, 42L, "SESSION_INVALIDATED"));
		assertThat(this.deliveries.list()).containsExactly(ended);
	}

	@Test
	void forgetsTheOldestThatHaveEndedButNothingUnderWay() {
		this.deliveries.begin("slow");
		for (int i = 0; i < Deliveries.HISTORY + 5; i++) {
			this.deliveries.begin("fast").ended(DeliveryState.DELIVERED, null);
		}
		assertThat(this.deliveries.list()).hasSize(Deliveries.HISTORY + 1)
			.extracting(Delivery::id)
			.startsWith(7L)
			.endsWith(Deliveries.HISTORY + 6L, 1L);
	}

	private void passMillis(long millis) {
		this.nanoTime.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
	}

}
