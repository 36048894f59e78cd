package io.github.consullock.sample;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.Test;

import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class WebhookControllerTests {

	@Test
	void aDeliveryThatFailsSaysWhyThoughItsExceptionHasNoMessage() {
		SampleProperties properties = new SampleProperties("A", Map.of("slow", URI.create("http://localhost/")),
				Duration.ZERO, Duration.ZERO, false);
		Receivers receivers = new Receivers(properties, new MockEnvironment());
		Deliveries deliveries = new Deliveries(properties);
		WebhookDelivery interrupted = new WebhookDelivery(receivers, properties) {

			@Override
			public void deliver(String receiver, String body, Deliveries.Progress progress)
					throws InterruptedException {
				throw new InterruptedException();
			}

		};
		WebhookController controller = new WebhookController(receivers, interrupted, deliveries);
		assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> controller.deliver("slow", null));
		assertThat(deliveries.list()).singleElement().satisfies((delivery) -> {
			assertThat(delivery.state()).isEqualTo(DeliveryState.FAILED);
			assertThat(delivery.toString()).contains("InterruptedException");
		});
	}

}
