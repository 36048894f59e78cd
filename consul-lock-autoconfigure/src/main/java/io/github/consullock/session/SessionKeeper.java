package io.github.consullock.session;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.session.SessionSource.Found;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps at most one session alive: creates it when first asked, renews it every TTL/10,
 * watches for its end, and tells exactly once when it is over. After a loss, the next
 * request creates a new one. Safe for use by several threads at once. A session of the
 * caller's own is {@linkplain #borrowing borrowed}, and neither created nor renewed nor
 * destroyed.
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

	private static final Duration RETRY_PAUSE = Duration.ofMillis(250);

	private final SessionSource source;

	private final SessionListener listener;

	private final KeeperThreads threads;

	private final WatchFactory watches;

	/** What ends with this keeper. */
	private final Runnable shutdown;

	/** Guards the fields below; never held during a request. */
	private final ReentrantLock lock = new ReentrantLock();

	private State state = State.NONE;

	/** What those who asked for a session wait for, once one was asked for. */
	private CompletableFuture<ConsulSession> pending = new CompletableFuture<>();

	/** Set while the state is LIVE, and only then. */
	private @Nullable ConsulSession live;

	private KeeperThreads.@Nullable Task renewal;

	private @Nullable SessionWatch watch;

	/** Whether the live session is to be renewed at once. */
	private boolean suspected;

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
		this(new OwnSessions(client, settings, threads), listener, threads,
				(session, verifier) -> new SessionWatch(session, client, threads, verifier));
	}

	private SessionKeeper(SessionSource source, SessionListener listener, KeeperThreads threads, WatchFactory watches) {
		this.source = source;
		this.listener = listener;
		this.threads = threads;
		this.watches = watches;
		this.shutdown = () -> {
			threads.shutdown();
			source.finish();
		};
	}

	/**
	 * Creates an unwatched keeper that shares its source and threads with others: closing
	 * it waits for nothing, and leaves both to their owner.
	 */
	SessionKeeper(SessionSource source, SessionListener listener, KeeperThreads threads) {
		this.source = source;
		this.listener = listener;
		this.threads = threads;
		this.watches = WatchFactory.NONE;
		this.shutdown = () -> {
		};
	}

	/**
	 * Creates a keeper that watches its sessions by nothing but their renewals, and so
	 * takes no connection for a watch: the end of a session is noticed within TTL/10, or
	 * when somebody has it {@linkplain #verify verified}. Asks nothing of Consul yet.
	 * @param client the way to Consul
	 * @param settings how sessions are made
	 * @param listener told of each session's end
	 * @return the keeper
	 */
	public static SessionKeeper unwatched(ConsulClient client, SessionSettings settings, SessionListener listener) {
		return unwatched(client, settings, listener, new RealKeeperThreads());
	}

	static SessionKeeper unwatched(ConsulClient client, SessionSettings settings, SessionListener listener,
			KeeperThreads threads) {
		return new SessionKeeper(new OwnSessions(client, settings, threads), listener, threads, WatchFactory.NONE);
	}

	/**
	 * Creates a keeper of a session that the caller has created, renews and destroys:
	 * this keeper only reads it, every second, and closing the keeper leaves it. Asks
	 * nothing of Consul yet.
	 * <p>
	 * {@link #session()} fails with a {@link io.github.consullock.ConsulRefusedException}
	 * if Consul does not show the session: it has ended, or the token lacks
	 * {@code session:read}. The session is over
	 * ({@link LockLostReason#SESSION_INVALIDATED}) once Consul shows it no more, and at a
	 * local deadline ({@link LockLostReason#DEADLINE_PASSED}) if there is no answer. The
	 * deadline is its lock-delay, but at least 10 s and at most 60 s, less the margin,
	 * after the start of the last look that showed it. Nobody else can hold its keys
	 * before, if its lock-delay is 10 s or more; if it is less, somebody may.
	 * @param client the way to Consul
	 * @param sessionId the session
	 * @param safetyMargin by how much the local deadline comes earlier: 0 to 2.5 s
	 * @param listener told of the session's end; again if it was out of reach until its
	 * deadline, was asked for anew and seen again, and ended then
	 * @return the keeper
	 */
	public static SessionKeeper borrowing(ConsulClient client, String sessionId, Duration safetyMargin,
			SessionListener listener) {
		return borrowing(client, sessionId, safetyMargin, listener, new RealKeeperThreads());
	}

	static SessionKeeper borrowing(ConsulClient client, String sessionId, Duration safetyMargin,
			SessionListener listener, KeeperThreads threads) {
		return new SessionKeeper(new BorrowedSession(client, sessionId, safetyMargin, threads), listener, threads,
				WatchFactory.NONE);
	}

	/**
	 * The live session, created if there is none. Creation goes on when the caller gives
	 * up waiting, and serves the next.
	 * @return completes with the session, or with the {@link LockException} that kept it
	 * from being created. It may complete on the thread that renews: what depends on it
	 * must not block.
	 */
	public CompletableFuture<ConsulSession> session() {
		endIfPastDeadline();
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				return CompletableFuture.failedFuture(closed());
			}
			if (this.live != null) {
				return CompletableFuture.completedFuture(this.live);
			}
			if (this.state == State.NONE) {
				// First: where there is no thread to be had, nobody must wait for it.
				this.threads.creation(this::create);
				become(State.CREATING, null);
				this.pending = new CompletableFuture<>();
			}
			return this.pending.copy();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** After a pause of the process, somebody may ask before the alarm goes off. */
	private void endIfPastDeadline() {
		ConsulSession present;
		this.lock.lock();
		try {
			present = this.live;
		}
		finally {
			this.lock.unlock();
		}
		if (present != null && !present.isLive()) {
			over(present);
		}
	}

	/**
	 * Has the session renewed now, because somebody was told that it is no more.
	 * @param suspect the session
	 */
	public void verify(ConsulSession suspect) {
		this.lock.lock();
		try {
			if (this.live == suspect) {
				this.suspected = true;
			}
		}
		finally {
			this.lock.unlock();
		}
		scheduleRenewal(suspect, Duration.ZERO);
	}

	/**
	 * Finds out at once whether the session has ended. Its renewals go on beside that, as
	 * if nobody had asked, unless there is no answer.
	 */
	private void confirm(ConsulSession suspect) {
		try {
			if (!this.source.confirm(suspect.id())) {
				lose(suspect, LockLostReason.SESSION_INVALIDATED);
			}
		}
		catch (ConsulUnavailableException ex) {
			logger.debug("Session {} may have ended, asking again: {}", suspect, ex.getMessage());
			verify(suspect);
		}
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

	/** The one place where the state changes. Needs the lock. */
	private void become(State next, @Nullable ConsulSession session) {
		this.state = next;
		this.live = session;
		this.suspected = false;
		if (this.renewal != null) {
			this.renewal.cancel();
		}
		if (this.watch != null) {
			this.watch.end();
		}
		this.renewal = null;
		this.watch = null;
	}

	private void create() {
		if (state() != State.CREATING) {
			// Left over from when there was no thread to be had.
			return;
		}
		ConsulSession created = null;
		try {
			Found found = this.source.obtain();
			created = new ConsulSession(found.id(), found.lease(), this.threads::nanoTime, found.borrowed());
			begin(created, found.confirmedAt());
		}
		catch (RuntimeException | Error ex) {
			// After an Error too, or all would wait for a creation that nobody goes on
			// with.
			if (created != null && !lose(created, LockLostReason.SESSION_INVALIDATED)) {
				this.source.discard(created.id());
			}
			fail(ex);
		}
	}

	private void begin(ConsulSession created, long renewedAt) {
		CompletableFuture<ConsulSession> waiting;
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				throw closed();
			}
			become(State.LIVE, created);
			waiting = this.pending;
			this.watch = this.watches.create(created, this::confirm);
			if (this.watch != null) {
				this.watch.begin();
			}
		}
		finally {
			this.lock.unlock();
		}
		scheduleRenewal(created, this.threads.since(renewedAt, renewalPause()));
		watchDeadline(created);
		logger.debug("Session {} begins", created);
		waiting.complete(created);
	}

	private void fail(Throwable failure) {
		CompletableFuture<ConsulSession> waiting;
		this.lock.lock();
		try {
			waiting = this.pending;
			if (this.state == State.CREATING) {
				become(State.NONE, null);
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
				// A renewal that was under way when somebody asked for one does not
				// count.
				Duration actual = this.suspected ? Duration.ZERO : delay;
				this.renewal = this.threads.request(actual, () -> renew(session));
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	private void renew(ConsulSession session) {
		if (!beginRenewal(session)) {
			return;
		}
		long sentAt = this.threads.nanoTime();
		Duration pause = renewalPause();
		try {
			if (!this.source.confirm(session.id())) {
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
		catch (Error ex) {
			// It must not be the last renewal.
			logger.error("The renewal of session {} failed, trying again until its deadline", session, ex);
			pause = RETRY_PAUSE;
		}
		catch (RuntimeException ex) {
			logger.warn("Consul refuses to confirm session {}; it will be lost in {} ms unless that changes: {}",
					session, session.remaining().toMillis(), ex.getMessage());
		}
		scheduleRenewal(session, this.threads.since(sentAt, pause));
	}

	private boolean beginRenewal(ConsulSession session) {
		this.lock.lock();
		try {
			if (this.live != session || !session.isLive()) {
				return false;
			}
			this.suspected = false;
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * What is due, or up to a fifth earlier, so that many instances do not renew in step.
	 */
	private Duration renewalPause() {
		long pause = this.source.pause().toNanos();
		return Duration.ofNanos(pause - ThreadLocalRandom.current().nextLong(pause / 5));
	}

	private void watchDeadline(ConsulSession session) {
		Duration remaining = session.remaining();
		if (remaining.isZero()) {
			lose(session, LockLostReason.DEADLINE_PASSED);
		}
		else {
			try {
				this.threads.alarm(remaining, () -> watchDeadline(session));
			}
			catch (RejectedExecutionException ex) {
				logger.debug("The deadline of {} needs no alarm: closed meanwhile", session);
			}
		}
	}

	private boolean lose(ConsulSession session, LockLostReason reason) {
		session.lease().end(reason);
		return over(session);
	}

	/** Returns false if the session is not the live one. */
	private boolean over(ConsulSession session) {
		this.lock.lock();
		try {
			if (this.live != session) {
				return false;
			}
			become(State.NONE, null);
		}
		finally {
			this.lock.unlock();
		}
		LockLostReason reason = session.lostReason().orElseThrow();
		try {
			// A log that is slow must not delay those who have to be told.
			this.listener.lost(session, reason);
			logger.warn("Session {} is over: {}", session, reason);
		}
		catch (RuntimeException ex) {
			logger.error("The listener failed for the end of session {}", session, ex);
		}
		finally {
			// Only now: it frees the keys.
			this.source.discard(session.id());
		}
		return true;
	}

	static ConsulUnavailableException closed() {
		return new ConsulUnavailableException("There is no session any more: the lock registry was closed");
	}

	/**
	 * Ends the session, if there is one, and destroys it unless it is borrowed. The
	 * listener is not told. Whoever has something to release does so before.
	 */
	@Override
	public void close() {
		end();
	}

	/** Closes, and does tell the listener. */
	void retire() {
		ConsulSession ended = end();
		if (ended != null) {
			this.listener.lost(ended, LockLostReason.SHUTDOWN);
		}
	}

	/** Returns the session that this has ended, if there was one. */
	private @Nullable ConsulSession end() {
		CompletableFuture<ConsulSession> abandoned;
		ConsulSession ended;
		this.lock.lock();
		try {
			if (this.state == State.CLOSED) {
				return null;
			}
			abandoned = this.pending;
			ended = this.live;
			if (this.live != null) {
				this.live.lease().end(LockLostReason.SHUTDOWN);
				this.source.discard(this.live.id());
			}
			become(State.CLOSED, null);
		}
		finally {
			this.lock.unlock();
		}
		// An interrupt must not keep the session from being destroyed.
		boolean interrupted = Thread.interrupted();
		// Done already, unless a creation is under way: that finds the keeper closed.
		abandoned.completeExceptionally(closed());
		this.shutdown.run();
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
		return ended;
	}

	/**
	 * How a session is watched beside its renewals.
	 */
	@FunctionalInterface
	private interface WatchFactory {

		/** Not at all. */
		WatchFactory NONE = (session, verifier) -> null;

		@Nullable SessionWatch create(ConsulSession session, Consumer<ConsulSession> verifier);

	}

}
