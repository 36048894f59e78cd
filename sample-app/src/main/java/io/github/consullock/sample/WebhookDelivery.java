package io.github.consullock.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;

import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Service;

/**
 * Calls receivers, each by one instance at a time.
 */
@Service
class WebhookDelivery {

	/** Tells the receiver who calls. */
	static final String INSTANCE_HEADER = "X-Instance";

	/**
	 * With it the receiver can tell a former holder of the lock from the present one: it
	 * rises from each holder to the next.
	 */
	static final String FENCING_TOKEN_HEADER = "X-Fencing-Token";

	private final HttpClient client = HttpClient.newBuilder()
		.version(HttpClient.Version.HTTP_1_1)
		.connectTimeout(Duration.ofSeconds(2))
		.build();

	private final Receivers receivers;

	private final SampleProperties properties;

	WebhookDelivery(Receivers receivers, SampleProperties properties) {
		this.receivers = receivers;
		this.properties = properties;
	}

	/**
	 * Delivers a webhook, and returns when the receiver has taken it.
	 * @param receiver to whom
	 * @param body what
	 * @param progress told once the lock is held
	 * @throws InterruptedException if the lock is lost: the thread is interrupted, and
	 * the HTTP client then aborts the call and closes its connection
	 */
	@DistributedLock("webhook_receiver/#{#receiver}")
	public void deliver(String receiver, String body, Deliveries.Progress progress) throws InterruptedException {
		long fencingToken = LockHandle.current().fencingToken();
		progress.delivering(fencingToken);
		URI url = this.receivers.url(receiver);
		HttpRequest request = HttpRequest.newBuilder(url)
			.timeout(this.properties.responseTimeout())
			.header(INSTANCE_HEADER, this.properties.instance())
			.header(FENCING_TOKEN_HEADER, Long.toString(fencingToken))
			.POST(HttpRequest.BodyPublishers.ofString(body))
			.build();
		HttpResponse<String> response = send(request);
		if (!HttpStatus.valueOf(response.statusCode()).is2xxSuccessful()) {
			throw new ReceiverException("%s answered %d".formatted(url, response.statusCode()), null);
		}
	}

	private HttpResponse<String> send(HttpRequest request) throws InterruptedException {
		try {
			return this.client.send(request, HttpResponse.BodyHandlers.ofString());
		}
		catch (IOException ex) {
			throw new ReceiverException("%s could not be called: %s".formatted(request.uri(), ex), ex);
		}
	}

}
