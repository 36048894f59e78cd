package io.github.consullock.sample;

import java.util.List;

import io.github.consullock.LockLostException;
import org.jspecify.annotations.Nullable;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * Takes webhooks, and answers when they are delivered.
 */
@RestController
class WebhookController {

	private final Receivers receivers;

	private final WebhookDelivery delivery;

	private final Deliveries deliveries;

	WebhookController(Receivers receivers, WebhookDelivery delivery, Deliveries deliveries) {
		this.receivers = receivers;
		this.delivery = delivery;
		this.deliveries = deliveries;
	}

	@PostMapping("/webhooks/{receiver}")
	Delivery deliver(@PathVariable String receiver, @RequestBody(required = false) @Nullable String body)
			throws InterruptedException {
		this.receivers.url(receiver);
		Deliveries.Progress progress = this.deliveries.begin(receiver);
		try {
			this.delivery.deliver(receiver, (body != null) ? body : "", progress);
			return progress.ended(DeliveryState.DELIVERED, null);
		}
		catch (LockLostException ex) {
			progress.ended(DeliveryState.CANCELLED, ex.reason().toString());
			throw ex;
		}
		catch (RuntimeException | InterruptedException ex) {
			progress.ended(DeliveryState.FAILED, ex.toString());
			throw ex;
		}
	}

	@GetMapping("/deliveries")
	List<Delivery> deliveries() {
		return this.deliveries.list();
	}

}
