package io.github.consullock.session;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.RenewalOutcome.Ended;
import io.github.consullock.consul.RenewalOutcome.Renewed;

/**
 * Keeps at most one session alive: creates it when first asked, renews it every TTL/10,
 * watches for its end, and tells exactly once when it is over. After a loss, the next
 * request creates a new one. Safe for use by several threads at once.
 * <p>
 * A session is over when Consul says so in answer to a renewal, or when the local
 * deadline passes, whichever comes first. Errors on the way are neither: they are retried
 * until the deadline.
 *
 * @since 0.1.0
 */
public final class SessionKeeper implements AutoCloseable {

	/**
	 * NONE becomes CREATING when a session is asked for, LIVE when it was created and its
	 * settings were taken, NONE again when that fails or the session is lost. CLOSED is
	 * final.
	 */
	enum State {

		NONE, CREATING, LIVE, CLOSED

	}

	private static final Logger logger = LoggerFactory.getLogger(SessionKeeper.class);

	private static final Duration WATCH_WAIT = Duration.ofSeconds(20);

	private static final Duration RETRY_PAUSE = Duration.ofMillis(250);

	private final ConsulClient client;

	private final SessionSettings settings;

	private final SessionListener listener;

	private final KeeperThreads threads;

	/** Guards the fields below; never held during a request. */
	private final ReentrantLock lock = new ReentrantLock();

	private State state = State.NONE;

	private CompletableFuture<ConsulSession> pending = new CompletableFuture<>();

	private @Nullable ConsulSession live;

	private KeeperThreads.@Nullable Task renewal;

	private KeeperThreads.@Nullable Task watch;

	/** Sessions that are over, until Consul has destroyed them. */
	private final Set<String> doomed = ConcurrentHashMap.newKeySet();

	/**
	 * Creates a keeper; asks nothing of Consul yet.
	 * @param client the way to Consul
	 * @param settings how sessions are made
	 * @param listener told of each session's end
	 */
	public SessionKeeper(ConsulClient client, SessionSettings settings, SessionListener listener) {
		this(client, settings, listener, new RealKeeperThreads());
	}

	SessionKeeper(ConsulClient client, SessionSettings settings, SessionListener listener, KeeperThreads threads) {
		this.client = client;
		this.settings = settings;
		this.listener = listener;
		this.threads = threads;
	}

	/**
	 * The live session, created if there is none. Creation goes on when the caller gives
	 * up waiting, and serves the next.
	 * @return completes with the session, or with the {@link LockException} that kept it
	 * from being created
	 */
	public CompletableFuture<ConsulSession> session() {
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				return CompletableFuture.failedFuture(new ConsulUnavailableException("The session keeper is closed"));
			}
			if (this.live != null) {
				return this.live.isLive() ? CompletableFuture.completedFuture(this.live)
						// The deadline has passed, the alarm is about to say so.
						: CompletableFuture
							.failedFuture(new ConsulUnavailableException("The session has just passed its deadline"));
			}
			if (this.state == State.NONE) {
				this.state = State.CREATING;
				this.pending = new CompletableFuture<>();
				this.threads.request(Duration.ZERO, this::create);
			}
			return this.pending.copy();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Has the session renewed now, because somebody was told that it is no more.
	 * @param suspect the session
	 */
	public void verify(ConsulSession suspect) {
		scheduleRenewal(suspect, Duration.ZERO);
	}

	State state() {
		this.lock.lock();
		try {
			return this.state;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void create() {
		String id = null;
		try {
			id = this.client.createSession(this.settings.toRequest());
			long sentAt = this.threads.nanoTime();
			checkTaken(id, this.client.renewSession(id));
			SessionLease lease = new SessionLease(sentAt, this.settings.ttl(), this.settings.safetyMargin());
			begin(new ConsulSession(id, lease, this.threads::nanoTime));
		}
		catch (RuntimeException ex) {
			if (id != null) {
				this.doomed.add(id);
				destroy(id, 0);
			}
			fail(ex);
		}
	}

	/**
	 * A body that the server did not read gives a session without a TTL, with status 200;
	 * only the answer to a renewal shows it.
	 */
	private void checkTaken(String id, RenewalOutcome outcome) {
		if (!(outcome instanceof Renewed renewed)) {
			throw new ConsulUnavailableException("The session " + id + " ended right after it was created");
		}
		if (!renewed.ttl().equals(this.settings.ttl()) || !renewed.lockDelay().equals(this.settings.lockDelay())) {
			throw new ConsulRefusedException(
					"Consul did not take the session's settings: wanted a TTL of " + this.settings.ttl()
							+ " and a lock-delay of " + this.settings.lockDelay() + ", got " + renewed.ttl() + " and "
							+ renewed.lockDelay() + ". Does a proxy in front of Consul change request bodies?");
		}
	}

	private void begin(ConsulSession created) {
		CompletableFuture<ConsulSession> waiting;
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				throw new ConsulUnavailableException("The session keeper was closed");
			}
			this.state = State.LIVE;
			this.live = created;
			waiting = this.pending;
			this.watch = this.threads.watch(() -> watch(created));
		}
		finally {
			this.lock.unlock();
		}
		scheduleRenewal(created, renewalPause());
		watchDeadline(created);
		logger.debug("Session {} created, TTL {}", created, this.settings.ttl());
		waiting.complete(created);
	}

	private void fail(RuntimeException failure) {
		CompletableFuture<ConsulSession> waiting;
		this.lock.lock();
		try {
			waiting = this.pending;
			if (this.state == State.CREATING) {
				this.state = State.NONE;
			}
		}
		finally {
			this.lock.unlock();
		}
		waiting.completeExceptionally(failure);
	}

	private void scheduleRenewal(ConsulSession session, Duration delay) {
		this.lock.lock();
		try {
			if (this.live == session) {
				if (this.renewal != null) {
					this.renewal.cancel();
				}
				this.renewal = this.threads.request(delay, () -> renew(session));
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void renew(ConsulSession session) {
		if (!session.isLive()) {
			return;
		}
		long sentAt = this.threads.nanoTime();
		Duration pause = renewalPause();
		try {
			RenewalOutcome outcome = this.client.renewSession(session.id());
			if (outcome instanceof Ended) {
				lose(session, LockLostReason.SESSION_INVALIDATED);
				return;
			}
			if (!session.lease().renewed(sentAt, this.threads.nanoTime())) {
				over(session);
				return;
			}
		}
		catch (ConsulUnavailableException ex) {
			logger.debug("Session {} not renewed, trying again until its deadline: {}", session, ex.getMessage());
			pause = RETRY_PAUSE;
		}
		catch (RuntimeException ex) {
			logger.warn("Consul refuses to renew session {}; it will be lost in {} ms unless that changes: {}", session,
					session.remaining().toMillis(), ex.getMessage());
		}
		scheduleRenewal(session, pause);
	}

	/** TTL/10, or up to a fifth earlier, so that many instances do not renew in step. */
	private Duration renewalPause() {
		long tenth = this.settings.ttl().toNanos() / 10;
		return Duration.ofNanos(tenth - ThreadLocalRandom.current().nextLong(tenth / 5));
	}

	private void watchDeadline(ConsulSession session) {
		Duration remaining = session.remaining();
		if (remaining.isZero()) {
			lose(session, LockLostReason.DEADLINE_PASSED);
		}
		else {
			later(() -> this.threads.alarm(remaining, () -> watchDeadline(session)));
		}
	}

	/** Ends when the session does, or when it may not be seen. */
	private void watch(ConsulSession session) {
		long index = 0;
		while (session.isLive() && !Thread.currentThread().isInterrupted()) {
			try {
				var snapshot = this.client.watchSession(session.id(), index, WATCH_WAIT);
				if (!snapshot.visible()) {
					// Gone, or no permission to see it: a renewal can tell.
					verify(session);
					return;
				}
				index = (snapshot.index() < index) ? 0 : snapshot.index();
			}
			catch (RuntimeException ex) {
				logger.debug("Session {} cannot be watched, its renewals go on: {}", session, ex.getMessage());
				index = 0;
				if (!pause(Duration.ofSeconds(1))) {
					return;
				}
			}
		}
	}

	private static boolean pause(Duration duration) {
		try {
			Thread.sleep(duration.toMillis());
			return true;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return false;
		}
	}

	private void lose(ConsulSession session, LockLostReason reason) {
		session.lease().end(reason);
		over(session);
	}

	private void over(ConsulSession session) {
		this.lock.lock();
		try {
			if (this.live != session) {
				return;
			}
			this.state = State.NONE;
			this.live = null;
			this.doomed.add(session.id());
			stopTasks();
		}
		finally {
			this.lock.unlock();
		}
		LockLostReason reason = session.lostReason().orElseThrow();
		logger.warn("Session {} is over: {}", session, reason);
		this.listener.lost(session, reason);
		later(() -> this.threads.request(Duration.ZERO, () -> destroy(session.id(), 0)));
	}

	/**
	 * Frees what a lost session may still hold; retried for as long as Consul may keep
	 * it, which is twice the TTL.
	 */
	private void destroy(String id, int attempt) {
		try {
			this.client.destroySession(id);
			this.doomed.remove(id);
		}
		catch (RuntimeException ex) {
			if (attempt < 20) {
				Duration pause = this.settings.ttl().dividedBy(10);
				later(() -> this.threads.request(pause, () -> destroy(id, attempt + 1)));
			}
			else {
				this.doomed.remove(id);
			}
		}
	}

	/** Runs what a closed keeper would reject. */
	private static void later(Runnable scheduling) {
		try {
			scheduling.run();
		}
		catch (RejectedExecutionException ex) {
			logger.debug("Closed meanwhile", ex);
		}
	}

	private void stopTasks() {
		if (this.renewal != null) {
			this.renewal.cancel();
		}
		if (this.watch != null) {
			this.watch.cancel();
		}
		this.renewal = null;
		this.watch = null;
	}

	/**
	 * Ends the session, if there is one, and destroys it. The listener is not told.
	 * Whoever has something to release does so before.
	 */
	@Override
	public void close() {
		CompletableFuture<ConsulSession> abandoned = null;
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				return;
			}
			if (this.state == State.CREATING) {
				abandoned = this.pending;
			}
			this.state = State.CLOSED;
			stopTasks();
			if (this.live != null) {
				this.live.lease().end(LockLostReason.SHUTDOWN);
				this.doomed.add(this.live.id());
				this.live = null;
			}
		}
		finally {
			this.lock.unlock();
		}
		if (abandoned != null) {
			abandoned.completeExceptionally(new ConsulUnavailableException("The session keeper was closed"));
		}
		// A creation under way finds the keeper closed, and destroys what it created.
		this.threads.shutdown();
		for (String id : this.doomed) {
			try {
				this.client.destroySession(id);
			}
			catch (RuntimeException ex) {
				logger.warn("Session {} could not be destroyed; Consul ends it within {}: {}", id,
						this.settings.ttl().multipliedBy(2), ex.getMessage());
			}
		}
	}

}
