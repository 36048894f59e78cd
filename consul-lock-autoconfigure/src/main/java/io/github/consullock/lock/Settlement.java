package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings requests whose outcome is unknown, and whose callers have left, to an end: after
 * it, the key is not held by the session, nor will a late copy of the request have it
 * held. Until then the key's place in the local queue stays taken, so that a JVM has one
 * attempt per key under way. When the session ends before, Consul frees the key.
 */
final class Settlement {

	private static final Logger logger = LoggerFactory.getLogger(Settlement.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final LockProtocol protocol;

	private final LocalQueues queues;

	private final Background background;

	/** The keys that are being settled. */
	private final Outstanding<String> open = new Outstanding<>();

	Settlement(LockProtocol protocol, LocalQueues queues, Background background) {
		this.protocol = protocol;
		this.queues = queues;
		this.background = background;
	}

	/** After an acquire: moves the fence, then frees what turns out to be ours. */
	void undo(LockRequest request, Fence fence) {
		begin(request.key(), fence.session(), () -> {
			fence.move(TIMEOUT);
			freeNow(request, fence.session());
		});
	}

	/**
	 * After a release or a hand-over, which are bound to the entry's index themselves.
	 */
	void free(LockRequest request, ConsulSession session) {
		begin(request.key(), session, () -> freeNow(request, session));
	}

	/** Waits until all is settled, or the time is up. */
	void awaitAll(Duration timeout) {
		this.open.awaitNone(timeout);
	}

	private void begin(String key, ConsulSession session, Runnable attempt) {
		this.open.begin(key);
		this.background.execute(() -> settle(key, session, attempt));
	}

	private void freeNow(LockRequest request, ConsulSession session) {
		KvEntry entry = this.protocol.read(request.key(), TIMEOUT);
		if (entry != null && session.id().equals(entry.session())) {
			this.protocol.release(session, request.key(), entry.modifyIndex(), entry.value(), request.deleteOnRelease(),
					TIMEOUT);
		}
	}

	private void settle(String key, ConsulSession session, Runnable attempt) {
		Backoff backoff = new Backoff();
		try {
			while (session.isLive() && !isDone(key, attempt, backoff)) {
				backoff.pause();
			}
		}
		catch (InterruptedException ex) {
			logger.debug("Closed before the lock '{}' was settled; its session is destroyed", key);
		}
		finally {
			// Before the next of this key can begin.
			this.open.end(key);
			this.queues.leave(key, false);
		}
	}

	private boolean isDone(String key, Runnable attempt, Backoff backoff) {
		try {
			attempt.run();
			return true;
		}
		catch (RuntimeException | Error ex) {
			if (ex instanceof LockException trouble) {
				this.queues.trouble(key, trouble);
			}
			if (backoff.isFirst() && !(ex instanceof ConsulUnavailableException)) {
				logger.warn("The lock '{}' cannot be settled, trying again until its session ends", key, ex);
			}
		}
		return false;
	}

}
