package io.github.consullock.lock;

import java.time.Duration;
import java.util.Collection;
import java.util.List;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.lock.LocalQueues.Waiter;
import io.github.consullock.lock.LockProtocol.Departure;
import io.github.consullock.lock.Turn.HandedOver;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All present holds, and the end of each: released, handed over inside this JVM, or lost.
 * Whichever it is, the key's place in the local queue is left exactly once.
 */
final class Holds {

	private static final Logger logger = LoggerFactory.getLogger(Holds.class);

	/** How long a release keeps its caller, before it goes on in the background. */
	private static final Duration RELEASE_TIMEOUT = Duration.ofSeconds(2);

	private final LockProtocol protocol;

	private final LocalQueues queues;

	private final Settlement settlement;

	private final HoldMonitor monitor;

	private final Background background;

	private final Listeners listeners;

	/** Those that were neither lost nor given up in Consul. */
	private final Outstanding<Hold> present = new Outstanding<>();

	private volatile boolean closing;

	Holds(LockProtocol protocol, LocalQueues queues, Settlement settlement, HoldMonitor monitor, Background background,
			Listeners listeners) {
		this.protocol = protocol;
		this.queues = queues;
		this.settlement = settlement;
		this.monitor = monitor;
		this.background = background;
		this.listeners = listeners;
	}

	/**
	 * Begins a hold of a lock that was acquired or handed over. The session may have
	 * ended meanwhile: the hold is lost then, and should not be given to anybody.
	 */
	Hold admit(LockRequest request, ConsulSession session, long token, Turn.Chain chain, Duration waited) {
		Hold hold = new Hold(this, request, session, token, chain);
		// Before anything can end it, so that each end is told after its beginning.
		this.listeners.tell((listener) -> listener.acquired(hold, waited));
		this.present.begin(hold);
		if (hold.isOver()) {
			// Released by a listener.
			this.present.end(hold);
		}
		else if (!session.isLive()) {
			lose(hold, session.lostReason().orElse(LockLostReason.DEADLINE_PASSED));
		}
		else if (!this.closing) {
			this.monitor.begin(hold, this);
		}
		return hold;
	}

	/** Ends all holds of a session that is over. */
	void lose(ConsulSession session, LockLostReason reason) {
		List<Hold> lost = present().stream()
			.filter((hold) -> hold.session() == session && hold.markLost(reason))
			.toList();
		// All holders first: neither a log nor a listener may delay one of them, nor the
		// renewals, on whose thread this may be.
		lost.forEach((hold) -> tellHolder(hold, reason));
		this.background.execute(() -> lost.forEach((hold) -> end(hold, reason)));
	}

	/** Ends a hold, unless it has ended; tells its holder, on threads of their own. */
	void lose(Hold hold, LockLostReason reason) {
		if (hold.markLost(reason)) {
			tellHolder(hold, reason);
			end(hold, reason);
		}
	}

	private void tellHolder(Hold hold, LockLostReason reason) {
		hold.takeCallbacks(reason).forEach(this.background::execute);
	}

	private void end(Hold hold, LockLostReason reason) {
		logger.warn("The lock '{}' (fencing token {}) is lost: {}", hold.key(), hold.fencingToken(), reason);
		this.monitor.end(hold);
		this.listeners.tell((listener) -> listener.lost(hold, reason));
		if (reason != LockLostReason.SHUTDOWN) {
			this.present.end(hold);
			this.queues.leave(hold.key(), false);
		}
	}

	/**
	 * Gives the lock of a hold up: to the next waiter of this JVM, or in the open.
	 * @return false if it turned out to be lost
	 */
	boolean release(Hold hold) {
		// A cancelled body leaves its thread interrupted: that must not keep the lock.
		boolean interrupted = Thread.interrupted();
		try {
			this.monitor.end(hold);
			return giveUp(hold);
		}
		catch (RuntimeException ex) {
			if (ex instanceof LockException trouble) {
				this.queues.trouble(hold.key(), trouble);
			}
			if (ex instanceof ConsulUnavailableException) {
				logger.warn("Consul does not answer to the release of the lock '{}'; trying on in the background, until"
						+ " it does or session {} ends: {}", hold.key(), hold.session(), ex.getMessage());
			}
			else {
				logger.warn("The release of the lock '{}' was refused; trying on in the background", hold.key(), ex);
			}
			leaveToSettlement(hold);
			return true;
		}
		catch (Error ex) {
			leaveToSettlement(hold);
			throw ex;
		}
		finally {
			this.present.end(hold);
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private void leaveToSettlement(Hold hold) {
		hold.markReleased(null);
		this.settlement.free(hold.request(), hold.session());
		tellReleased(hold);
	}

	/** Not after a shutdown, which told of a loss already. */
	private void tellReleased(Hold hold) {
		if (hold.state() == Hold.State.RELEASED) {
			this.listeners.tell((listener) -> listener.released(hold, hold.held()));
		}
	}

	private boolean giveUp(Hold hold) {
		String key = hold.key();
		long index = hold.index();
		boolean yielding = hold.chain().isExhausted();
		Departure departure = null;
		if (!yielding && !this.closing) {
			Waiter next;
			while ((next = this.queues.next(key)) != null && !(departure instanceof Departure.NotHeld)) {
				departure = this.protocol.handOver(hold.session(), key, index, next.value(), RELEASE_TIMEOUT);
				if (departure instanceof Departure.Done done) {
					index = done.index();
					hold.markReleased(null);
					if (this.queues.pass(key, next, new HandedOver(hold.session(), index, hold.chain()))) {
						this.listeners.tell((listener) -> listener.handedOver(hold, hold.held()));
						return true;
					}
				}
			}
		}
		if (!(departure instanceof Departure.NotHeld)) {
			LockRequest request = hold.request();
			departure = this.protocol.release(hold.session(), key, index, request.value(), request.deleteOnRelease(),
					RELEASE_TIMEOUT);
		}
		if (departure instanceof Departure.NotHeld notHeld) {
			LockLostReason reason = this.monitor.lossShownBy(hold, notHeld.entry());
			if (hold.markReleased(reason)) {
				tellHolder(hold, reason);
				this.listeners.tell((listener) -> listener.lost(hold, reason));
				this.queues.leave(key, false);
				return false;
			}
		}
		hold.markReleased(null);
		this.queues.leave(key, yielding);
		tellReleased(hold);
		return true;
	}

	Collection<Hold> present() {
		return this.present.items();
	}

	/** From now on nothing is handed over. */
	void closing() {
		this.closing = true;
	}

	/**
	 * Waits until none is present any more, or the time is up. Those that the shutdown
	 * has cancelled are, until their holders give them up.
	 */
	void awaitEnd(Duration timeout) {
		this.present.awaitNone(timeout);
	}

}
