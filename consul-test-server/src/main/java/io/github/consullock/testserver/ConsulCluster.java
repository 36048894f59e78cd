package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * The running agents of one server, driven one call at a time.
 */
final class ConsulCluster {

	private final ReentrantLock lock = new ReentrantLock();

	private final ConsulServerOptions options;

	private final Path directory;

	private final List<ConsulNode> nodes;

	private final ConsulApi api;

	private final @Nullable String managementToken;

	private boolean closed;

	ConsulCluster(ConsulServerOptions options, Path directory, List<ConsulNode> nodes, ConsulApi api,
			@Nullable String managementToken) {
		this.options = options;
		this.directory = directory;
		this.nodes = List.copyOf(nodes);
		this.api = api;
		this.managementToken = managementToken;
	}

	ConsulServerOptions options() {
		return this.options;
	}

	Path directory() {
		return this.directory;
	}

	List<ConsulNode> nodes() {
		return this.nodes;
	}

	@Nullable String managementToken() {
		return this.managementToken;
	}

	ConsulNode node(int index) {
		if (index < 0 || index >= this.nodes.size()) {
			throw new IllegalArgumentException(
					"There is no server %d: %d were started, counted from 0".formatted(index, this.nodes.size()));
		}
		return this.nodes.get(index);
	}

	void pause() {
		drive("pause", () -> forEachRunning(ConsulNode::pause));
	}

	void pause(int index) {
		ConsulNode node = node(index);
		drive("pause", () -> apply(node, ConsulNode::pause));
	}

	void resume() {
		drive("resume", () -> forEachRunning(ConsulNode::resume));
	}

	void resume(int index) {
		ConsulNode node = node(index);
		drive("resume", () -> apply(node, ConsulNode::resume));
	}

	void stop(int index) {
		ConsulNode node = node(index);
		drive("stop", () -> apply(node, ConsulNode::kill));
	}

	void start(int index) {
		ConsulNode node = node(index);
		drive("start", () -> {
			if (!node.isRunning()) {
				node.start();
			}
			if (this.nodes.stream()
				.limit(this.options.clusterSize())
				.filter(ConsulNode::isRunning)
				.count() >= this.options.majority()) {
				readiness().awaitSession(node, this.managementToken);
			}
			return node;
		});
	}

	String createToken(String rules, String token) {
		return drive("create a token", () -> {
			ConsulNode node = this.nodes.stream()
				.filter(ConsulNode::isRunning)
				.findFirst()
				.orElseThrow(() -> new IOException("no server is running"));
			String policy = "test-" + UUID.randomUUID();
			put(node, "/v1/acl/policy",
					"{\"Name\": %s, \"Rules\": %s}".formatted(Json.quote(policy), Json.quote(rules)), token);
			String created = put(node, "/v1/acl/token",
					"{\"Policies\": [{\"Name\": %s}]}".formatted(Json.quote(policy)), token);
			String secret = Json.text(created, "SecretID")
				.orElseThrow(() -> new IOException("no token is in the answer " + created));
			Readiness readiness = readiness();
			forEachRunning((each) -> readiness.awaitToken(each, secret));
			return secret;
		});
	}

	private String put(ConsulNode node, String path, String body, String token) throws IOException {
		ConsulApi.Answer answer = this.api.put(node.httpUri(), path, body, token);
		if (!answer.isOk()) {
			throw new IOException("PUT %s answered %s".formatted(path, answer));
		}
		return answer.body();
	}

	void close() {
		this.lock.lock();
		try {
			if (!this.closed) {
				this.closed = true;
				this.nodes.forEach(ConsulNode::remove);
				Directories.delete(this.directory);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private Readiness readiness() {
		return new Readiness(this.api, this.options.startTimeout());
	}

	private List<ConsulNode> forEachRunning(NodeAction action) throws IOException {
		for (ConsulNode node : this.nodes) {
			if (node.isRunning()) {
				action.apply(node);
			}
		}
		return this.nodes;
	}

	private static ConsulNode apply(ConsulNode node, NodeAction action) throws IOException {
		action.apply(node);
		return node;
	}

	private <T> T drive(String what, Action<T> action) {
		this.lock.lock();
		try {
			if (this.closed) {
				throw new ConsulServerException("Cannot %s: this Consul is closed".formatted(what));
			}
			return action.run();
		}
		catch (IOException ex) {
			throw new ConsulServerException("Cannot %s: %s".formatted(what, ex.getMessage()), ex);
		}
		finally {
			this.lock.unlock();
		}
	}

	private interface NodeAction {

		void apply(ConsulNode node) throws IOException;

	}

	private interface Action<T> {

		T run() throws IOException;

	}

}
