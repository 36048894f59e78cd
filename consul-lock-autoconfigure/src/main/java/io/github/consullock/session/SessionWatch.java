package io.github.consullock.session;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.SessionSnapshot;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a session verified as soon as Consul no longer shows it, by one blocking query
 * after another. That it is not shown is no proof of its end: the token may not be
 * allowed to see it. It is verified on the watch's own thread, as long as another one
 * would take to wake up.
 */
final class SessionWatch {

	private static final Logger logger = LoggerFactory.getLogger(SessionWatch.class);

	private static final Duration WAIT = Duration.ofSeconds(20);

	/** Bounds the looks at a server that answers without waiting. */
	private static final Duration PAUSE = Duration.ofMillis(100);

	private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

	/** Where a watch cannot help, so that it costs next to nothing. */
	private static final Duration REFUSED_PAUSE = Duration.ofSeconds(20);

	private final ConsulSession session;

	private final ConsulClient client;

	private final KeeperThreads threads;

	private final Consumer<ConsulSession> verifier;

	private final ReentrantLock lock = new ReentrantLock();

	/** The next look, or the one that waits for its answer. */
	private KeeperThreads.@Nullable Task look;

	private boolean ended;

	/**
	 * Creates a watch that has not begun.
	 * @param verifier told of a session that is not shown; may make a request, and end
	 * this watch
	 */
	SessionWatch(ConsulSession session, ConsulClient client, KeeperThreads threads, Consumer<ConsulSession> verifier) {
		this.session = session;
		this.client = client;
		this.threads = threads;
		this.verifier = verifier;
	}

	void begin() {
		schedule(0, Duration.ZERO);
	}

	/** Ends the watch, a wait under way included; harmless if it has not begun. */
	void end() {
		this.lock.lock();
		try {
			this.ended = true;
			if (this.look != null) {
				this.look.cancel();
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void schedule(long index, Duration delay) {
		this.lock.lock();
		try {
			if (!this.ended) {
				this.look = this.threads.watch(delay, () -> look(index));
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void look(long index) {
		long sentAt = this.threads.nanoTime();
		long next = 0;
		Duration pause = PAUSE;
		try {
			SessionSnapshot snapshot = this.client.watchSession(this.session.id(), index, WAIT);
			if (snapshot.visible()) {
				// An index that went backwards is of no use any more.
				next = (snapshot.index() < index) ? 0 : snapshot.index();
				if (index == 0) {
					// That was no wait yet: the end may come now.
					pause = Duration.ZERO;
				}
			}
			else {
				// Gone, or no permission to see it: a renewal can tell.
				verify();
				pause = REFUSED_PAUSE;
			}
		}
		catch (RuntimeException | Error ex) {
			logger.debug("Session {} cannot be watched, its renewals go on: {}", this.session, ex.getMessage());
			pause = (ex instanceof ConsulUnavailableException) ? RETRY_PAUSE : REFUSED_PAUSE;
		}
		schedule(next, this.threads.since(sentAt, pause));
	}

	private void verify() {
		this.lock.lock();
		try {
			if (this.ended) {
				return;
			}
			// Not to be interrupted by the end of the watch, which may come of it.
			this.look = null;
		}
		finally {
			this.lock.unlock();
		}
		this.verifier.accept(this.session);
	}

}
