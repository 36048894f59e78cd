package io.github.consullock.session;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.LogText;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sessions that are over for this process and may still be there in Consul, until they
 * are destroyed: what they hold stays locked for as long.
 */
final class DoomedSessions {

	private static final Logger logger = LoggerFactory.getLogger(DoomedSessions.class);

	/** Every TTL/10, so for 2 x TTL: by then Consul has ended the session itself. */
	private static final int ATTEMPTS = 20;

	private final ConsulClient client;

	private final KeeperThreads threads;

	private final Duration ttl;

	private final Set<String> ids = ConcurrentHashMap.newKeySet();

	DoomedSessions(ConsulClient client, KeeperThreads threads, Duration ttl) {
		this.client = client;
		this.threads = threads;
		this.ttl = ttl;
	}

	/**
	 * Has a session destroyed soon; returns at once, unless the threads are shut down.
	 */
	void add(String id) {
		this.ids.add(id);
		try {
			this.threads.request(Duration.ZERO, () -> destroy(id, 1));
		}
		catch (RejectedExecutionException ex) {
			destroy(id, ATTEMPTS);
		}
	}

	private void destroy(String id, int attempt) {
		try {
			this.client.destroySession(id);
			this.ids.remove(id);
		}
		catch (RuntimeException ex) {
			logger.debug("Session {} not destroyed in attempt {}: {}", LogText.withoutIds(id), attempt,
					ex.getMessage());
			if (attempt < ATTEMPTS) {
				again(id, attempt + 1);
			}
			else if (!Thread.currentThread().isInterrupted()) {
				this.ids.remove(id);
			}
		}
	}

	private void again(String id, int attempt) {
		try {
			this.threads.request(this.ttl.dividedBy(10), () -> destroy(id, attempt));
		}
		catch (RejectedExecutionException ex) {
			logger.debug("Session {} is left to the end of the shutdown", LogText.withoutIds(id));
		}
	}

	/**
	 * Destroys what is left, side by side, once the threads are shut down. An interrupt
	 * of this thread keeps no request from being sent, and is not lost.
	 */
	void destroyAll() {
		boolean interrupted = Thread.interrupted();
		this.threads.sideBySide(this.ids.stream().<Runnable>map((id) -> () -> destroyFinally(id)).toList());
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private void destroyFinally(String id) {
		try {
			this.client.destroySession(id);
			this.ids.remove(id);
		}
		catch (RuntimeException ex) {
			logger.warn("Session {} could not be destroyed; Consul ends it within {} s: {}", LogText.withoutIds(id),
					this.ttl.multipliedBy(2).toSeconds(), ex.getMessage());
		}
	}

}
