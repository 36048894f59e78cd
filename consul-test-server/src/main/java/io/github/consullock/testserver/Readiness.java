package io.github.consullock.testserver;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * Waits until an agent is of use: until a session can be created through it. The leader
 * endpoint answers earlier than that, and even without a leader.
 */
final class Readiness {

	private static final Duration PAUSE = Duration.ofMillis(30);

	private final ConsulApi api;

	private final long deadline;

	private final Duration timeout;

	Readiness(ConsulApi api, Duration timeout) {
		this.api = api;
		this.timeout = timeout;
		this.deadline = System.nanoTime() + timeout.toNanos();
	}

	void awaitSession(ConsulNode node, @Nullable String token) throws IOException {
		await(node, "a session to be created", () -> createsSession(node, token));
	}

	/**
	 * Turns the first token out of a cluster whose access control has just been enabled.
	 * @param node any of its servers
	 * @return the management token
	 * @throws IOException if it ends or is late
	 */
	String awaitManagementToken(ConsulNode node) throws IOException {
		return await(node, "the ACL system to be bootstrapped", () -> {
			ConsulApi.Answer answer = this.api.put(node.httpUri(), "/v1/acl/bootstrap", "", null);
			return answer.isOk() ? new Step<>(Json.text(answer.body(), "SecretID"), "")
					: new Step<>(Optional.empty(), answer.toString());
		});
	}

	/**
	 * Waits until a node knows a token: a follower may lag behind the leader.
	 * @param node the node
	 * @param token the token
	 * @throws IOException if it ends or is late
	 */
	void awaitToken(ConsulNode node, String token) throws IOException {
		await(node, "a new token to be known", () -> {
			// Stale: answered by this very node and not by the leader for it.
			ConsulApi.Answer answer = this.api.get(node.httpUri(), "/v1/acl/token/self?stale", token);
			return new Step<>(answer.isOk() ? Optional.of(true) : Optional.empty(), answer.toString());
		});
	}

	/**
	 * Gives an agent a token of its own, without which it may not keep its own entries in
	 * the catalog up to date. A follower may take a moment longer to leave the ACL system
	 * of old, in which no token is known.
	 * @param node the node
	 * @param token the token
	 * @throws IOException if it ends or is late
	 */
	void awaitAgentToken(ConsulNode node, String token) throws IOException {
		await(node, "the agent's token to be set", () -> {
			ConsulApi.Answer answer = this.api.put(node.httpUri(), "/v1/agent/token/agent",
					"{\"Token\": %s}".formatted(Json.quote(token)), token);
			return new Step<>(answer.isOk() ? Optional.of(true) : Optional.empty(), answer.toString());
		});
	}

	private Step<Boolean> createsSession(ConsulNode node, @Nullable String token) throws IOException {
		ConsulApi.Answer created = this.api.put(node.httpUri(), "/v1/session/create",
				"{\"Name\": \"ready\", \"NodeChecks\": [], \"LockDelay\": \"0s\", \"TTL\": \"60s\"}", token);
		Optional<String> session = created.isOk() ? Json.text(created.body(), "ID") : Optional.empty();
		if (session.isEmpty()) {
			return new Step<>(Optional.empty(), created.toString());
		}
		ConsulApi.Answer info = this.api.get(node.httpUri(), "/v1/session/info/" + session.get(), token);
		this.api.put(node.httpUri(), "/v1/session/destroy/" + session.get(), "", token);
		boolean ours = Json.text(info.body(), "Node").equals(Optional.of(node.name()));
		return new Step<>(ours ? Optional.of(true) : Optional.empty(),
				"port %d belongs to another Consul: %s".formatted(node.httpPort(), info));
	}

	private <T> T await(ConsulNode node, String what, Attempt<T> attempt) throws IOException {
		String last = "";
		do {
			if (!node.isRunning()) {
				throw ended(node, "The agent %s ended".formatted(node.name()));
			}
			try {
				Step<T> step = attempt.get();
				if (step.result().isPresent()) {
					return step.result().get();
				}
				last = step.failure();
			}
			catch (InterruptedIOException ex) {
				throw ex;
			}
			catch (IOException ex) {
				last = ex.toString();
			}
			pause();
		}
		while (System.nanoTime() - this.deadline < 0);
		throw new IOException("""
				Waited %s in vain for %s through %s at %s; its last answer was: %s
				Its log ends with:
				%s""".formatted(this.timeout, what, node.name(), node.httpUri(), last, node.logTail()));
	}

	/**
	 * Tells of the end of an agent that was to get ready.
	 * @param node the agent
	 * @param what what happened
	 * @return what to throw, with the end of its log
	 */
	static IOException ended(ConsulNode node, String what) {
		String log = node.logTail();
		String message = "%s. Its log ends with:\n%s".formatted(what, log);
		return log.contains("address already in use") ? new PortTakenException(message) : new IOException(message);
	}

	private static void pause() throws InterruptedIOException {
		try {
			Thread.sleep(PAUSE.toMillis());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new InterruptedIOException("Interrupted while waiting for Consul");
		}
	}

	private interface Attempt<T> {

		Step<T> get() throws IOException;

	}

	/**
	 * One look at the agent.
	 *
	 * @param result what was waited for, if it is there
	 * @param failure what was there instead
	 */
	private record Step<T>(Optional<T> result, String failure) {

	}

}
