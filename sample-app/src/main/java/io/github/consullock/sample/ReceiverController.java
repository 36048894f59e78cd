package io.github.consullock.sample;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

import jakarta.servlet.http.HttpServletResponse;

import org.jspecify.annotations.Nullable;

import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * A receiver of webhooks to try the sample with, as slow as you like.
 */
@RestController
class ReceiverController {

	private static final Duration LONGEST = Duration.ofMinutes(10);

	private final SlowReceiver receiver = new SlowReceiver();

	private final Duration duration;

	ReceiverController(SampleProperties properties) {
		this.duration = properties.receiverDuration();
	}

	@PostMapping("/receivers/{name}")
	void receive(@PathVariable String name, @RequestParam @Nullable Integer seconds,
			@RequestHeader(name = WebhookDelivery.INSTANCE_HEADER, required = false) @Nullable String caller,
			@RequestHeader(name = WebhookDelivery.FENCING_TOKEN_HEADER, required = false) @Nullable Long fencingToken,
			HttpServletResponse response) throws IOException, InterruptedException {
		Duration duration = (seconds != null) ? Duration.ofSeconds(seconds) : this.duration;
		if (duration.isNegative() || duration.compareTo(LONGEST) > 0) {
			response.sendError(HttpServletResponse.SC_BAD_REQUEST, "seconds must be from 0 to 600");
			return;
		}
		response.setContentType(MediaType.TEXT_PLAIN_VALUE);
		this.receiver.receive(name, caller, fencingToken, duration, response.getOutputStream());
	}

	@GetMapping("/receivers")
	List<ReceiverCall> calls() {
		return this.receiver.calls();
	}

}
