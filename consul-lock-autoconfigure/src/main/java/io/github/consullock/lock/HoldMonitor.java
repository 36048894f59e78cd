package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.KeyWatches.Subscription;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that a held key was deleted, released or taken over, although the session
 * lives. Begins a moment after the acquisition, so that a short hold costs no request.
 */
final class HoldMonitor {

	private static final Logger logger = LoggerFactory.getLogger(HoldMonitor.class);

	private static final Duration GRACE = Duration.ofMillis(250);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final LockProtocol protocol;

	private final Predicate<ConsulSession> sessionEnds;

	private final KeyWatches watches;

	private final Background background;

	private final ConcurrentMap<Hold, Watch> watched = new ConcurrentHashMap<>();

	/**
	 * Creates a monitor.
	 * @param sessionEnds asks Consul whether a session has ended
	 */
	HoldMonitor(LockProtocol protocol, KeyWatches watches, Background background,
			Predicate<ConsulSession> sessionEnds) {
		this.protocol = protocol;
		this.sessionEnds = sessionEnds;
		this.watches = watches;
		this.background = background;
	}

	void begin(Hold hold, Holds holds) {
		Watch watch = new Watch(hold, holds);
		this.watched.put(hold, watch);
		watch.begin();
		if (hold.state() != Hold.State.HELD) {
			// It ended before there was anything to end here.
			end(hold);
		}
	}

	void end(Hold hold) {
		Watch watch = this.watched.remove(hold);
		if (watch != null) {
			watch.end();
		}
	}

	private void check(Hold hold, Holds holds, String key, KvSnapshot snapshot) {
		if (hold.state() != Hold.State.HELD) {
			return;
		}
		LockEntries now = hold.entries().with(key, snapshot);
		if (now.token(hold.claimant()) != 0) {
			hold.moved(now);
		}
		else if (snapshot.index() > hold.fencingToken()) {
			this.background.execute(() -> confirm(hold, holds));
		}
	}

	/**
	 * The answer of a watch may come from a server that lags behind; a consistent read is
	 * proof.
	 */
	private void confirm(Hold hold, Holds holds) {
		try {
			LockEntries now = this.protocol.read(hold.kind(), TIMEOUT);
			if (now.token(hold.claimant()) == 0) {
				holds.lose(hold, lossShownBy(hold, now));
			}
		}
		catch (LockException ex) {
			logger.debug("Whether '{}' is lost cannot be said yet: {}", hold.key(), ex.getMessage());
			if (hold.isHeld()) {
				this.background.executeLater(() -> confirm(hold, holds), GRACE);
			}
		}
	}

	/**
	 * Why a hold is lost that its entries do not show any more.
	 * @param now the entries as they are now
	 */
	LockLostReason lossShownBy(Hold hold, LockEntries now) {
		return hold.session().lostReason().orElseGet(() -> {
			LockLostReason reason = now.loss(hold.claimant());
			// One that is held by nobody was most probably released by the end of the
			// session, of which its own watch has not told yet.
			if (reason == LockLostReason.KEY_DELETED && isEnded(hold.session())) {
				hold.place().keeper().verify(hold.session());
				return LockLostReason.SESSION_INVALIDATED;
			}
			return reason;
		});
	}

	private boolean isEnded(ConsulSession session) {
		try {
			return this.sessionEnds.test(session);
		}
		catch (LockException ex) {
			logger.debug("Whether session {} has ended cannot be said: {}", session, ex.getMessage());
			return false;
		}
	}

	/**
	 * The watch of one hold's entries, from the moment after which it is worth a request.
	 */
	private final class Watch {

		private final Hold hold;

		private final Holds holds;

		/** Guards the fields below. */
		private final ReentrantLock lock = new ReentrantLock();

		private @Nullable Future<?> start;

		private final List<Subscription> subscriptions = new ArrayList<>(1);

		private boolean ended;

		Watch(Hold hold, Holds holds) {
			this.hold = hold;
			this.holds = holds;
		}

		void begin() {
			this.lock.lock();
			try {
				this.start = HoldMonitor.this.background.schedule(this::subscribe, GRACE);
			}
			finally {
				this.lock.unlock();
			}
		}

		private void subscribe() {
			this.lock.lock();
			try {
				if (!this.ended) {
					LockEntries known = this.hold.entries();
					for (String key : known.watched(this.hold.claimant())) {
						this.subscriptions.add(HoldMonitor.this.watches.subscribe(key, known.lastSeen(key),
								(snapshot) -> check(this.hold, this.holds, key, snapshot)));
					}
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		void end() {
			this.lock.lock();
			try {
				this.ended = true;
				if (this.start != null) {
					this.start.cancel(false);
				}
				this.subscriptions.forEach(Subscription::close);
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
