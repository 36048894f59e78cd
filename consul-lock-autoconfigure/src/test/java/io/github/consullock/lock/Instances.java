package io.github.consullock.lock;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.TestRegistries;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.SessionSettings;

/**
 * Registries as several instances of a service have them, each with a client and a
 * session of its own, and what Consul knows of them afterwards.
 */
final class Instances extends TestRegistries {

	/** The shortest that keeps the promises. */
	static final SessionSettings SAFE = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private final HttpClient http = HttpClient.newHttpClient();

	Instances(URI consul, String prefix) {
		super(consul, prefix);
	}

	/** Another client of the same Consul. */
	ConsulClient newClient() {
		return new PatientClient(consul());
	}

	ConsulLockRegistry start() {
		return start((builder) -> builder);
	}

	ConsulLockRegistry start(UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return start(consul(), settings);
	}

	/** An instance that reaches Consul at another address. */
	ConsulLockRegistry start(URI address, UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return start(new PatientClient(address), settings);
	}

	ConsulLockRegistry start(ConsulClient client, UnaryOperator<ConsulLockRegistryBuilder> settings) {
		return open(client, settings);
	}

	/**
	 * Has a registry make its session, for which a wait as short as the test's may be too
	 * short on a busy machine.
	 */
	static ConsulLockRegistry warmUp(ConsulLockRegistry registry) {
		registry.obtain("warm-up").tryAcquire(LONG).orElseThrow().close();
		return registry;
	}

	/**
	 * The same for a semaphore, of which each permit has a session of its own.
	 * @param permits how many sessions are to be there
	 */
	static ConsulLockRegistry warmUp(ConsulLockRegistry registry, int permits) {
		ConsulSemaphore semaphore = registry.semaphore("warm-up", permits);
		List<LockHandle> held = Stream.generate(() -> semaphore.acquire(LONG)).limit(permits).toList();
		held.forEach(LockHandle::close);
		return registry;
	}

	/** Whether a thread waits, for a time, in a method of this class. */
	static boolean isWaitingIn(Class<?> type, Thread thread) {
		return thread.getState() == Thread.State.TIMED_WAITING && List.of(thread.getStackTrace())
			.stream()
			.anyMatch((frame) -> frame.getClassName().equals(type.getName()));
	}

	/** What is below the prefix, fences included. */
	List<KvEntry> entries() {
		return this.observer.list(prefix());
	}

	/** The text of all sessions of this test's registries. */
	boolean hasSessions() {
		return request("GET", "/v1/session/list", "").contains("\"" + prefix() + "\"");
	}

	/** Writes or deletes a key behind the locks' back. */
	String request(String method, String path, String body) {
		HttpRequest request = HttpRequest.newBuilder(consul().resolve(path))
			.method(method,
					body.isEmpty() ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
			.timeout(LONG)
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

}
