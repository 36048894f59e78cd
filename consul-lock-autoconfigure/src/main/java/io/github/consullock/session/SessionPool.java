package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;

/**
 * Keepers of sessions for those who need one each, for a while: a permit of a semaphore
 * is named by the session that holds it. Safe for use by several threads at once.
 * <p>
 * A keeper that is given back is kept for a minute, its session renewed, for the next who
 * needs one; then its session is destroyed. All keepers of a pool share their threads,
 * and none has a watch: the end of a session is noticed within TTL/10, or when somebody
 * has it {@linkplain SessionKeeper#verify verified}.
 *
 * @since 0.1.0
 */
public final class SessionPool implements AutoCloseable {

	private static final Duration MAX_IDLE = Duration.ofMinutes(1);

	private final SessionSource source;

	private final SessionListener listener;

	private final KeeperThreads threads;

	/** Guards the fields below; never held during a request. */
	private final ReentrantLock lock = new ReentrantLock();

	/** All that are not yet closed. */
	private final Set<SessionKeeper> keepers = new HashSet<>();

	private final Set<SessionKeeper> leased = new HashSet<>();

	/** Those given back last come first, and are leased first, so that others age. */
	private final Deque<Idle> idle = new ArrayDeque<>();

	/** Whether somebody will look for keepers that are idle for too long. */
	private boolean lookPlanned;

	private boolean closed;

	/**
	 * Creates a pool without a keeper; asks nothing of Consul yet.
	 * @param client the way to Consul
	 * @param settings how sessions are made
	 * @param listener told of each session's end, idle ones included
	 */
	public SessionPool(ConsulClient client, SessionSettings settings, SessionListener listener) {
		this(client, settings, listener, new RealKeeperThreads());
	}

	SessionPool(ConsulClient client, SessionSettings settings, SessionListener listener, KeeperThreads threads) {
		this.source = new OwnSessions(client, settings, threads);
		this.listener = listener;
		this.threads = threads;
	}

	/**
	 * A keeper that nobody else uses, an idle one if there is any. Asks nothing of
	 * Consul: the keeper creates its session when it is asked for it.
	 * @return the keeper, to be {@linkplain #giveBack given back}
	 * @throws ConsulUnavailableException if the pool is closed
	 */
	public SessionKeeper lease() {
		this.lock.lock();
		try {
			if (this.closed) {
				throw SessionKeeper.closed();
			}
			Idle latest = this.idle.pollFirst();
			SessionKeeper keeper = (latest != null) ? latest.keeper()
					: new SessionKeeper(this.source, this.listener, this.threads);
			this.keepers.add(keeper);
			this.leased.add(keeper);
			return keeper;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Takes back a keeper that its user needs no more; harmless if it is not leased. Its
	 * session goes to somebody else, so it must hold nothing any more: whoever cannot be
	 * sure of that closes the keeper before, which has the session destroyed, and returns
	 * at once.
	 * @param keeper the keeper
	 */
	public void giveBack(SessionKeeper keeper) {
		this.lock.lock();
		try {
			if (!this.leased.remove(keeper)) {
				return;
			}
			if (keeper.state() == SessionKeeper.State.CLOSED) {
				this.keepers.remove(keeper);
				return;
			}
			this.idle.addFirst(new Idle(keeper, this.threads.nanoTime()));
			if (!this.lookPlanned) {
				planLook(MAX_IDLE);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Has a session renewed now, because somebody was told that it is no more; harmless
	 * if it is none of this pool's.
	 * @param suspect the session
	 */
	public void verify(ConsulSession suspect) {
		List<SessionKeeper> all;
		this.lock.lock();
		try {
			all = List.copyOf(this.keepers);
		}
		finally {
			this.lock.unlock();
		}
		all.forEach((keeper) -> keeper.verify(suspect));
	}

	/** Needs the lock. */
	private void planLook(Duration delay) {
		this.threads.alarm(delay, this::closeIdle);
		this.lookPlanned = true;
	}

	private void closeIdle() {
		List<SessionKeeper> old = new ArrayList<>();
		this.lock.lock();
		try {
			this.lookPlanned = false;
			if (this.closed) {
				return;
			}
			long now = this.threads.nanoTime();
			while (!this.idle.isEmpty() && this.idle.getLast().left(now).isZero()) {
				old.add(this.idle.removeLast().keeper());
			}
			if (!this.idle.isEmpty()) {
				planLook(this.idle.getLast().left(now));
			}
		}
		finally {
			this.lock.unlock();
		}
		old.forEach(SessionKeeper::retire);
		this.lock.lock();
		try {
			// Not before: whoever closes the pool has to close them too.
			old.forEach(this.keepers::remove);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Ends all sessions, leased ones included, and destroys them; the listener is not
	 * told. Takes a few seconds where Consul does not answer, however many they are.
	 */
	@Override
	public void close() {
		List<SessionKeeper> all;
		this.lock.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
			all = List.copyOf(this.keepers);
			this.keepers.clear();
			this.leased.clear();
			this.idle.clear();
		}
		finally {
			this.lock.unlock();
		}
		// An interrupt must not keep sessions from being destroyed.
		boolean interrupted = Thread.interrupted();
		all.forEach(SessionKeeper::close);
		interrupted |= Thread.interrupted();
		this.threads.shutdown();
		this.source.finish();
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * A keeper that was given back.
	 */
	private record Idle(SessionKeeper keeper, long since) {

		/** How long it may still be idle. */
		Duration left(long now) {
			Duration left = MAX_IDLE.minusNanos(now - this.since);
			return left.isNegative() ? Duration.ZERO : left;
		}

	}

}
