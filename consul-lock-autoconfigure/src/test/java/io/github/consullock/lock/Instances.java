package io.github.consullock.lock;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.SessionSettings;

/**
 * Registries as several instances of a service have them, each with a client and a
 * session of its own, and what Consul knows of them afterwards.
 */
final class Instances implements AutoCloseable {

	/** The shortest that keeps the promises. */
	static final SessionSettings SAFE = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	/** For tests in which nothing may be read into who comes next after a loss. */
	static final SessionSettings WITHOUT_LOCK_DELAY = SessionSettings.DEFAULTS.withAllowUnsafe(true)
		.withTimes(Duration.ofSeconds(30), Duration.ZERO);

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private final HttpClient http = HttpClient.newHttpClient();

	private final URI consul;

	private final String prefix;

	private final List<AutoCloseable> open = new ArrayList<>();

	final ConsulClient observer;

	Instances(URI consul, String prefix) {
		this.consul = consul;
		this.prefix = prefix;
		this.observer = new PatientClient(consul);
	}

	/** Another client of the same Consul. */
	ConsulClient newClient() {
		return new PatientClient(this.consul);
	}

	String prefix() {
		return this.prefix;
	}

	ConsulLockRegistry start() {
		return start((builder) -> builder.session(WITHOUT_LOCK_DELAY.withName(this.prefix)));
	}

	ConsulLockRegistry start(UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return start(this.consul, settings);
	}

	/** An instance that reaches Consul at another address. */
	ConsulLockRegistry start(URI address, UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return start(new PatientClient(address), settings);
	}

	ConsulLockRegistry start(ConsulClient client, UnaryOperator<ConsulLockRegistryBuilder> settings) {
		ConsulLockRegistry registry = settings
			.apply(ConsulLockRegistry.builder(client)
				.keyPrefix(this.prefix)
				.session(WITHOUT_LOCK_DELAY.withName(this.prefix))
				.waitTime(AMPLE)
				.shutdownTimeout(Duration.ZERO))
			.build();
		this.open.add(0, client);
		this.open.add(0, registry);
		return registry;
	}

	/**
	 * Has a registry make its session, for which a wait as short as the test's may be too
	 * short on a busy machine.
	 */
	static ConsulLockRegistry warmUp(ConsulLockRegistry registry) {
		registry.obtain("warm-up").tryAcquire(AMPLE).orElseThrow().close();
		return registry;
	}

	/** Whether a thread waits, for a time, in a method of this class. */
	static boolean isWaitingIn(Class<?> type, Thread thread) {
		return thread.getState() == Thread.State.TIMED_WAITING && List.of(thread.getStackTrace())
			.stream()
			.anyMatch((frame) -> frame.getClassName().equals(type.getName()));
	}

	/** The entry of a lock as Consul has it, or null. */
	KvEntry entry(String key) {
		return this.observer.read(this.prefix + key, AMPLE).orElse(null);
	}

	/** What is below the prefix, fences included. */
	List<KvEntry> entries() {
		return this.observer.list(this.prefix);
	}

	/** Ends the session that holds a lock, as an operator would. */
	void destroySessionOf(String key) {
		KvEntry entry = entry(key);
		this.observer.destroySession(entry.session());
	}

	/** The text of all sessions of this test's registries. */
	boolean hasSessions() {
		return request("GET", "/v1/session/list", "").contains("\"" + this.prefix + "\"");
	}

	/** Writes or deletes a key behind the locks' back. */
	String request(String method, String path, String body) {
		HttpRequest request = HttpRequest.newBuilder(this.consul.resolve(path))
			.method(method,
					body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
			.timeout(AMPLE)
			.build();
		try {
			return this.http.send(request, HttpResponse.BodyHandlers.ofString()).body();
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public void close() {
		try {
			for (AutoCloseable closeable : this.open) {
				closeable.close();
			}
			this.observer.close();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
