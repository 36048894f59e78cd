package io.github.consullock.faults;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.regex.Pattern;

import static org.awaitility.Awaitility.await;

/**
 * Three servers, and a client agent through which everything goes, as on an application's
 * machine.
 */
abstract class Agents implements AutoCloseable {

	static final int SERVERS = 3;

	static final int CLIENT = SERVERS;

	private static final Duration LONG = Duration.ofMinutes(2);

	private static final Duration REQUEST = Duration.ofSeconds(5);

	private static final Pattern VOTER = Pattern.compile("\"Voter\":\\s*true");

	private final HttpClient http = HttpClient.newBuilder().connectTimeout(REQUEST).build();

	/** Where an agent answers, whether it runs or not. */
	abstract URI address(int agent);

	abstract boolean isRunning(int agent);

	/** Of the client agent. */
	URI address() {
		return address(CLIENT);
	}

	/** The server that leads, as soon as all that run agree on one. */
	int leader() {
		return await().atMost(LONG).ignoreExceptions().until(this::leaderNow, (leader) -> leader >= 0);
	}

	private int leaderNow() throws IOException, InterruptedException {
		for (int i = 0; i < SERVERS; i++) {
			if (isRunning(i) && get(i, "/v1/agent/self").matches("(?s).*\"leader\":\\s*\"true\".*")) {
				return i;
			}
		}
		return -1;
	}

	/**
	 * Waits until the cluster is as it was before any fault: three voters, and writes
	 * through the client agent.
	 */
	void awaitWhole() {
		await().atMost(LONG)
			.ignoreExceptions()
			.until(() -> VOTER.matcher(get(leader(), "/v1/operator/raft/configuration")).results().count() == SERVERS
					&& isWritable());
	}

	/** Whether a write through the client agent succeeds now. */
	boolean isWritable() throws InterruptedException {
		try {
			return send(CLIENT, "PUT", "/v1/kv/cluster/probe", "x").statusCode() == 200;
		}
		catch (IOException ex) {
			return false;
		}
	}

	String get(int agent, String path) throws IOException, InterruptedException {
		HttpResponse<String> response = send(agent, "GET", path, "");
		if (response.statusCode() != 200) {
			throw new IOException(path + ": " + response.statusCode() + " " + response.body());
		}
		return response.body();
	}

	/** An agent says good-bye to the others, and ends. */
	void leave(int agent) throws InterruptedException {
		try {
			send(agent, "PUT", "/v1/agent/leave", "");
		}
		catch (IOException ex) {
			// It ended before its answer was read.
		}
		await().atMost(LONG).until(() -> !isRunning(agent));
	}

	/** All that Consul knows. */
	byte[] snapshot() throws IOException, InterruptedException {
		return this.http
			.send(HttpRequest.newBuilder(address().resolve("/v1/snapshot")).timeout(LONG).build(),
					BodyHandlers.ofByteArray())
			.body();
	}

	void restore(byte[] snapshot) throws IOException, InterruptedException {
		HttpResponse<String> response = this.http.send(HttpRequest.newBuilder(address().resolve("/v1/snapshot"))
			.PUT(BodyPublishers.ofByteArray(snapshot))
			.timeout(LONG)
			.build(), BodyHandlers.ofString());
		if (response.statusCode() != 200) {
			throw new IOException("Not restored: " + response.statusCode() + " " + response.body());
		}
	}

	HttpResponse<String> send(int agent, String method, String path, String body)
			throws IOException, InterruptedException {
		return this.http.send(HttpRequest.newBuilder(address(agent).resolve(path))
			.method(method, BodyPublishers.ofString(body))
			.timeout(REQUEST)
			.build(), BodyHandlers.ofString());
	}

}
