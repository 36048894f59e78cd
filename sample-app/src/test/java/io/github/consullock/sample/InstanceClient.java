package io.github.consullock.sample;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calls an instance of the sample over HTTP.
 */
final class InstanceClient {

	/** Above the two minutes for which the sample waits for a lock. */
	private static final Duration TIMEOUT = Duration.ofMinutes(3);

	private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private final JsonMapper json = new JsonMapper();

	private final String name;

	private final URI address;

	InstanceClient(String name, URI address) {
		this.name = name;
		this.address = address;
	}

	String name() {
		return this.name;
	}

	URI address() {
		return this.address;
	}

	/**
	 * Gives it a webhook to deliver.
	 * @param receiver to whom
	 * @return its answer, once it has delivered or given up
	 */
	CompletableFuture<Answer> deliver(String receiver) {
		HttpRequest request = HttpRequest.newBuilder(this.address.resolve("/webhooks/" + receiver))
			.header("Content-Type", "application/json")
			.timeout(TIMEOUT)
			.POST(HttpRequest.BodyPublishers.ofString("{\"order\": 42}"))
			.build();
		return this.client.sendAsync(request, HttpResponse.BodyHandlers.ofString())
			.thenApply((response) -> new Answer(System.nanoTime(), response.statusCode(),
					this.json.readTree(response.body())));
	}

	/**
	 * What it delivered and delivers.
	 * @return the list of {@code /deliveries}
	 */
	List<Delivery> deliveries() {
		return List.of(this.json.readValue(get("/deliveries"), Delivery[].class));
	}

	/**
	 * The instances it sees.
	 * @return the list of {@code /instances}
	 */
	List<InstanceController.Instance> instances() {
		return List.of(this.json.readValue(get("/instances"), InstanceController.Instance[].class));
	}

	private String get(String path) {
		try {
			HttpRequest request = HttpRequest.newBuilder(this.address.resolve(path)).timeout(TIMEOUT).build();
			HttpResponse<String> response = this.client.send(request, HttpResponse.BodyHandlers.ofString());
			if (response.statusCode() != 200) {
				throw new IllegalStateException("GET %s of instance %s answered %d: %s".formatted(path, this.name,
						response.statusCode(), response.body()));
			}
			return response.body();
		}
		catch (IOException ex) {
			throw new UncheckedIOException("GET %s of instance %s failed".formatted(path, this.name), ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException("Interrupted while waiting for instance " + this.name, ex);
		}
	}

	/**
	 * The answer to a webhook.
	 *
	 * @param at when it came, on the clock of {@link System#nanoTime()}
	 * @param status the HTTP status
	 * @param body the delivery, or the problem
	 */
	record Answer(long at, int status, JsonNode body) {

	}

}
