package io.github.consullock.sample;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.OptionalInt;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What an operator would ask of Consul, or do to it.
 */
final class ConsulCalls {

	private final HttpClient client = HttpClient.newHttpClient();

	private final JsonMapper json = new JsonMapper();

	private final URI uri;

	ConsulCalls(URI uri) {
		this.uri = uri;
	}

	/**
	 * Where an instance listens.
	 * @param application the name of the application
	 * @param instanceId the id of its registration
	 * @return its port, once it is registered
	 */
	OptionalInt portOf(String application, String instanceId) {
		for (JsonNode service : this.json.readTree(get("/v1/catalog/service/" + application))) {
			if (service.path("ServiceID").asString().equals(instanceId)) {
				return OptionalInt.of(service.path("ServicePort").asInt());
			}
		}
		return OptionalInt.empty();
	}

	/**
	 * The session that holds a key.
	 * @param key the full key
	 * @return the id of the session
	 */
	String sessionHolding(String key) {
		String session = this.json.readTree(get("/v1/kv/" + key)).path(0).path("Session").asString("");
		if (session.isEmpty()) {
			throw new IllegalStateException("The key " + key + " is held by no session");
		}
		return session;
	}

	void destroySession(String id) {
		send(HttpRequest.newBuilder(this.uri.resolve("/v1/session/destroy/" + id))
			.PUT(HttpRequest.BodyPublishers.noBody()));
	}

	private String get(String path) {
		return send(HttpRequest.newBuilder(this.uri.resolve(path)));
	}

	private String send(HttpRequest.Builder builder) {
		HttpRequest request = builder.build();
		try {
			HttpResponse<String> response = this.client.send(request, HttpResponse.BodyHandlers.ofString());
			if (response.statusCode() != 200) {
				throw new IllegalStateException("%s %s answered %d: %s".formatted(request.method(), request.uri(),
						response.statusCode(), response.body()));
			}
			return response.body();
		}
		catch (IOException ex) {
			throw new UncheckedIOException("%s %s failed".formatted(request.method(), request.uri()), ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException("Interrupted while waiting for Consul", ex);
		}
	}

}
