package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;

import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.RenewalOutcome;
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

	private final ConsulClient client;

	private final KeyWatches watches;

	private final Background background;

	private final ConcurrentMap<Hold, Watch> watched = new ConcurrentHashMap<>();

	HoldMonitor(ConsulClient client, KeyWatches watches, Background background) {
		this.client = client;
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

	private void check(Hold hold, Holds holds, KvSnapshot snapshot) {
		if (hold.state() != Hold.State.HELD) {
			return;
		}
		KvEntry entry = snapshot.entry();
		if (entry != null && isOurs(hold, entry)) {
			hold.moved(entry.modifyIndex());
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
			KvEntry entry = this.client.read(hold.key(), TIMEOUT).orElse(null);
			if (!isOurs(hold, entry)) {
				holds.lose(hold, lossShownBy(hold, entry));
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
	 * Why a hold is lost whose entry is not its own any more.
	 * @param entry the entry as it is now; null if there is none
	 */
	LockLostReason lossShownBy(Hold hold, @Nullable KvEntry entry) {
		return hold.session().lostReason().orElseGet(() -> {
			if (entry != null && entry.session() != null) {
				return LockLostReason.TAKEN_OVER;
			}
			// One that is there and held by nobody was most probably released by the end
			// of the session, of which its own watch has not told yet.
			return (entry != null && isEnded(hold.session())) ? LockLostReason.SESSION_INVALIDATED
					: LockLostReason.KEY_DELETED;
		});
	}

	private boolean isEnded(ConsulSession session) {
		try {
			return this.client.renewSession(session.id()) instanceof RenewalOutcome.Ended;
		}
		catch (LockException ex) {
			logger.debug("Whether session {} has ended cannot be said: {}", session, ex.getMessage());
			return false;
		}
	}

	private static boolean isOurs(Hold hold, @Nullable KvEntry entry) {
		return entry != null && hold.session().id().equals(entry.session());
	}

	/**
	 * The watch of one hold's key, from the moment after which it is worth a request.
	 */
	private final class Watch {

		private final Hold hold;

		private final Holds holds;

		/** Guards the fields below. */
		private final ReentrantLock lock = new ReentrantLock();

		private @Nullable Future<?> start;

		private @Nullable Subscription subscription;

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
					this.subscription = HoldMonitor.this.watches.subscribe(this.hold.key(),
							(snapshot) -> check(this.hold, this.holds, snapshot));
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
				if (this.subscription != null) {
					this.subscription.close();
				}
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
