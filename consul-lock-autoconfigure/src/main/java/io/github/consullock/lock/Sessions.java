package io.github.consullock.lock;

import java.time.Duration;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.session.ConsulSession;
import io.github.consullock.session.SessionKeeper;
import io.github.consullock.session.SessionListener;
import io.github.consullock.session.SessionPool;

/**
 * The sessions of one engine: the one that holds its locks, and those that hold one thing
 * each.
 *
 * @param client the way to Consul
 * @param borrowed whether the one is the caller's own
 * @param shared keeps the one
 * @param apart keeps the others
 */
record Sessions(ConsulClient client, boolean borrowed, SessionKeeper shared,
		SessionPool apart) implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	/** Of a session of the caller's own. */
	private static final Duration MAX_MARGIN = Duration.ofMillis(2500);

	/**
	 * Creates the sessions of an engine; asks nothing of Consul.
	 * @param watched whether the end of the one is noticed at once, at the price of a
	 * connection
	 */
	static Sessions of(EngineSpec spec, boolean watched, ConsulClient client, SessionListener listener) {
		SessionKeeper shared;
		if (spec.borrowed() != null) {
			Duration margin = spec.session().safetyMargin();
			shared = SessionKeeper.borrowing(client, spec.borrowed(),
					(margin.compareTo(MAX_MARGIN) < 0) ? margin : MAX_MARGIN, listener);
		}
		else {
			shared = watched ? new SessionKeeper(client, spec.session(), listener)
					: SessionKeeper.unwatched(client, spec.session(), listener);
		}
		return new Sessions(client, spec.borrowed() != null, shared, new SessionPool(client, spec.session(), listener));
	}

	/** Has a session renewed now, because somebody was told that it is no more. */
	void verify(ConsulSession suspect) {
		this.shared.verify(suspect);
		this.apart.verify(suspect);
	}

	/** Asks Consul whether a session has ended; one of the caller's is not renewed. */
	boolean isEnded(ConsulSession session) {
		boolean ended = this.borrowed ? this.client.sessionInfo(session.id(), TIMEOUT).isEmpty()
				: this.client.renewSession(session.id()) instanceof RenewalOutcome.Ended;
		if (ended) {
			verify(session);
		}
		return ended;
	}

	SessionKeeper keeper(LockKind kind) {
		return kind.needsSessionApart() ? this.apart.lease() : this.shared;
	}

	void giveBack(LockKind kind, SessionKeeper keeper) {
		if (kind.needsSessionApart()) {
			this.apart.giveBack(keeper);
		}
	}

	/** Destroys the sessions; with them goes whatever they still hold. */
	@Override
	public void close() {
		this.shared.close();
		this.apart.close();
	}

}
