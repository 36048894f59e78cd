package io.github.consullock.lock;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.LocalQueues.Waiter;
import io.github.consullock.lock.LockProtocol.Departure;
import io.github.consullock.lock.Turn.HandedOver;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;
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

	/**
	 * After so short a hold, the one who had the lock before may just be about to queue
	 * up again.
	 */
	private static final Duration BRIEF = Duration.ofMillis(5);

	private final LockProtocol protocol;

	private final LocalQueues queues;

	private final Contention contention;

	private final Settlement settlement;

	private final HoldMonitor monitor;

	private final Background background;

	private final Listeners listeners;

	/** Those that were neither lost nor given up in Consul. */
	private final Outstanding<Hold> present = new Outstanding<>();

	private final String keyPrefix;

	private final Duration lockDelay;

	private volatile boolean closing;

	/**
	 * Creates a collection without holds.
	 * @param keyPrefix where the locks are
	 * @param lockDelay how long a holder that was told of its limit may go on
	 */
	Holds(LockProtocol protocol, LocalQueues queues, Contention contention, Settlement settlement, HoldMonitor monitor,
			Background background, Listeners listeners, String keyPrefix, Duration lockDelay) {
		this.keyPrefix = keyPrefix;
		this.lockDelay = lockDelay;
		this.protocol = protocol;
		this.queues = queues;
		this.contention = contention;
		this.settlement = settlement;
		this.monitor = monitor;
		this.background = background;
		this.listeners = listeners;
	}

	/**
	 * Begins a hold of a lock that was acquired or handed over. The session may have
	 * ended meanwhile: the hold is lost then, and should not be given to anybody.
	 */
	Hold admit(LockRequest request, Hold.Grant grant, Place place, Duration waited) {
		Hold hold = new Hold(this, request, grant, place);
		ConsulSession session = hold.session();
		// Before anything can end it, so that each end is told after its beginning.
		this.listeners.tell((listener) -> listener.acquired(hold, waited));
		this.present.begin(hold);
		if (!hold.kind().isExclusive()) {
			place.leaveLines(false);
		}
		if (hold.isOver()) {
			// Released by a listener.
			this.present.end(hold);
		}
		else if (!session.isLive()) {
			lose(hold, session.lostReason().orElse(LockLostReason.DEADLINE_PASSED));
		}
		else if (!this.closing) {
			this.monitor.begin(hold);
			limit(hold);
		}
		return hold;
	}

	private void limit(Hold hold) {
		Duration maxHold = hold.request().maxHold();
		if (maxHold != null) {
			hold.limitedBy(this.background.schedule(() -> this.background.execute(() -> {
				lose(hold, LockLostReason.MAX_HOLD_EXCEEDED);
				// Its holder may not care; by then everybody would have had to.
				this.background.executeLater(hold::close, this.lockDelay);
			}), maxHold));
		}
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
		if (!Hold.isCancellation(reason)) {
			// First, or nothing would seem to be there for a moment.
			leave(hold);
			this.present.end(hold);
		}
	}

	/** What a lost lock has left goes, before anybody else of this JVM may have it. */
	private void leave(Hold hold) {
		boolean live = hold.session().isLive();
		if (live ? hold.kind().hasSeveralEntries() : hold.session().mayHold()) {
			this.settlement.free(hold.kind(), hold.claimant(), hold.kind().unseen(), hold.place(), Duration.ZERO);
		}
		else {
			hold.place().leave(false);
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
			Duration kept = hold.kept();
			return (kept.isZero() || this.closing) ? giveUp(hold) : giveUpLater(hold, kept);
		}
		catch (RuntimeException ex) {
			if (ex instanceof LockException trouble) {
				hold.place().trouble(trouble);
			}
			if (ex instanceof ConsulUnavailableException) {
				logger.warn("Consul does not answer to the release of the lock '{}'; trying on in the background, until"
						+ " it does or session {} ends: {}", hold.key(), hold.session(), ex.getMessage());
			}
			else {
				logger.warn("The release of the lock '{}' was refused; trying on in the background", hold.key(), ex);
			}
			leaveToSettlement(hold, Duration.ZERO);
			return true;
		}
		catch (Error ex) {
			leaveToSettlement(hold, Duration.ZERO);
			throw ex;
		}
		finally {
			this.present.end(hold);
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private boolean giveUpLater(Hold hold, Duration delay) {
		try {
			LockEntries now = this.protocol.read(hold.kind(), RELEASE_TIMEOUT);
			if (now.token(hold.claimant()) == 0) {
				return foundLost(hold, now);
			}
		}
		catch (LockException ex) {
			logger.debug("Whether '{}' is still held cannot be said: {}", hold.key(), ex.getMessage());
		}
		leaveToSettlement(hold, delay);
		return true;
	}

	private void leaveToSettlement(Hold hold, Duration delay) {
		hold.markReleased(null);
		this.settlement.free(hold.kind(), hold.claimant(), hold.kind().unseen(), hold.place(), delay);
		tellReleased(hold);
	}

	/** Not after a shutdown, which told of a loss already. */
	private void tellReleased(Hold hold) {
		if (hold.state() == Hold.State.RELEASED) {
			this.listeners.tell((listener) -> listener.released(hold, hold.held()));
		}
	}

	private void tellHandedOver(Hold hold) {
		if (hold.state() == Hold.State.RELEASED) {
			this.listeners.tell((listener) -> listener.handedOver(hold, hold.held()));
		}
	}

	private boolean giveUp(Hold hold) {
		LockKind kind = hold.kind();
		LockEntries entries = hold.entries();
		Claimant claimant = hold.claimant();
		if (!entries.isWaitedFor() && this.contention.isLikely(kind.key())) {
			// A read is less than a write that fails.
			boolean awaits = hold.held().compareTo(BRIEF) < 0 && next(kind) == null && !this.closing;
			entries = awaits ? this.protocol.awaitWaiting(entries, hold.fencingToken(), RELEASE_TIMEOUT)
					: this.protocol.readWaiting(entries, RELEASE_TIMEOUT);
		}
		boolean elsewhere = entries.isWaitedFor();
		boolean open = elsewhere && Turn.Chain.isExhaustedBy(hold.held());
		boolean yielding = open || (!elsewhere && hold.chain().isExhausted());
		Departure departure = null;
		if (!yielding && !this.closing && !(elsewhere && hold.chain().isOthersTurn())) {
			Waiter next;
			while ((next = next(kind)) != null && !(departure instanceof Departure.NotHeld)) {
				Claimant heir = kind.claimant(hold.session(), next.request());
				departure = this.protocol.handOver(kind, entries, claimant, heir, RELEASE_TIMEOUT);
				if (departure instanceof Departure.Done done) {
					entries = done.entries();
					claimant = heir;
					hold.markReleased(null);
					Hold.Grant grant = new Hold.Grant(heir, done.index(), entries, hold.chain());
					if (this.queues.pass(kind.key(), next, new HandedOver(grant))) {
						hold.place().linesPassed();
						hold.place().leave(false);
						tellHandedOver(hold);
						return true;
					}
				}
			}
		}
		if (!(departure instanceof Departure.NotHeld)) {
			departure = this.protocol.release(kind, entries, claimant, open, RELEASE_TIMEOUT);
		}
		if (departure instanceof Departure.NotHeld notHeld) {
			return foundLost(hold, notHeld.entries());
		}
		hold.markReleased(null);
		Departure.Done handedOver = (departure instanceof Departure.Done done && done.handedOver()) ? done : null;
		if (handedOver != null) {
			// First: the next of this JVM may go by it.
			this.contention.handedOver(kind, handedOver.entries());
		}
		hold.place().leave(yielding && handedOver == null);
		if (handedOver != null) {
			tellHandedOver(hold);
		}
		else {
			tellReleased(hold);
		}
		return true;
	}

	/**
	 * What is to be given up turns out to be lost.
	 * @return false if nobody knew
	 */
	private boolean foundLost(Hold hold, LockEntries now) {
		LockLostReason reason = this.monitor.lossShownBy(hold, now);
		boolean news = hold.markReleased(reason);
		if (news) {
			tellHolder(hold, reason);
			this.listeners.tell((listener) -> listener.lost(hold, reason));
		}
		// Whoever knew of the loss: what is not lost of it has to go, too.
		leave(hold);
		tellReleased(hold);
		return !news;
	}

	/** Who may be handed the lock: the next in line, if it wants just the same. */
	private @Nullable Waiter next(LockKind kind) {
		if (!kind.isExclusive() || kind.hasSeveralEntries()) {
			return null;
		}
		Waiter next = this.queues.next(kind.key());
		return (next != null && next.request().kind().equals(kind)) ? next : null;
	}

	CompletableFuture<Boolean> releaseAsync(Hold hold) {
		CompletableFuture<Boolean> released = new CompletableFuture<>();
		Runnable release = () -> {
			try {
				released.complete(hold.release());
			}
			catch (Throwable ex) {
				released.completeExceptionally(ex);
			}
		};
		this.background.execute(release);
		if (this.background.isClosed()) {
			// Dropped, perhaps; with the session gone, there is nothing to wait for.
			release.run();
		}
		return released;
	}

	/**
	 * Writes an entry, if the hold is still ours for Consul.
	 */
	void guardedPut(Hold hold, String key, String value) {
		LockOptions.checkKey(key);
		if (key.startsWith(this.keyPrefix)) {
			throw new IllegalArgumentException("The key '" + key + "' is below '" + this.keyPrefix
					+ "', where the locks are; write to another one");
		}
		Departure outcome = this.protocol.put(hold.kind(), hold.entries(), hold.claimant(),
				KvOperation.set(key, value, 0), RELEASE_TIMEOUT);
		if (outcome instanceof Departure.NotHeld notHeld) {
			lose(hold, this.monitor.lossShownBy(hold, notHeld.entries()));
			hold.ensureHeld();
		}
		else if (outcome instanceof Departure.Done done) {
			hold.moved(done.entries());
		}
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
