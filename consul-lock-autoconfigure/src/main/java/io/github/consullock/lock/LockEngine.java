package io.github.consullock.lock;

import java.time.Duration;
import java.util.Collection;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.Acquisition.InVain;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that locks of the same place and the same session need: the session, the
 * lines of those who wait, the holds. To locks of another engine it is as strange as
 * another process.
 */
final class LockEngine {

	private static final Logger logger = LoggerFactory.getLogger(LockEngine.class);

	/**
	 * How long calls under way, cancelled holders, and what has to be settled may each
	 * take to end, before their locks are left to lock-delay.
	 */
	private static final Duration CANCEL_GRACE = Duration.ofSeconds(2);

	private final LocalQueues queues = new LocalQueues();

	private final Contention contention = new Contention();

	private final KeyWatches watches;

	private final Holds holds;

	private final Settlement settlement;

	private final Sessions sessions;

	private final Fences fences;

	private final Acquirer acquirer;

	/** Held while closing: a second close ends no sooner than the first. */
	private final ReentrantLock closing = new ReentrantLock();

	private boolean closed;

	/**
	 * Creates an engine; asks nothing of Consul.
	 * @param lasting whether it lasts as long as the registry
	 * @param watchable how many keys all engines may watch by blocking queries
	 */
	LockEngine(EngineSpec spec, boolean lasting, ConsulLockRegistryBuilder settings, Background background,
			Semaphore watchable) {
		ConsulClient client = settings.client.at(spec.scope());
		LockProtocol protocol = new LockProtocol(client);
		Listeners listeners = new Listeners(settings.listeners);
		this.settlement = new Settlement(protocol, background);
		this.watches = new KeyWatches(client, background, watchable);
		HoldMonitor monitor = new HoldMonitor(protocol, this.watches, background, this::isSessionEnded);
		this.holds = new Holds(protocol, this.queues, this.contention, this.settlement, monitor, background, listeners,
				settings.keyPrefix, spec.session().lockDelay());
		this.sessions = Sessions.of(spec, lasting, client, this::sessionLost);
		this.fences = new Fences(client, settings.keyPrefix, (spec.borrowed() != null) ? "." + UUID.randomUUID() : "",
				background, this.sessions::verify);
		this.acquirer = new Acquirer(new LockParts(protocol, this.sessions, this.fences, this.queues, this.contention,
				this.watches, this.holds, this.settlement, background, listeners, settings.slowThreshold));
	}

	private boolean isSessionEnded(ConsulSession session) {
		return this.sessions.isEnded(session);
	}

	private void sessionLost(ConsulSession session, LockLostReason reason) {
		this.holds.lose(session, reason);
		this.settlement.ended(session);
		this.fences.ended(session);
	}

	Acquisition acquire(LockRequest request) throws InterruptedException {
		return this.acquirer.acquire(request);
	}

	CompletableFuture<LockHandle> acquireAsync(LockRequest request, Function<InVain, RuntimeException> inVain) {
		return this.acquirer.acquireAsync(request, inVain);
	}

	/** The holds that are neither lost nor given up in Consul. */
	Collection<Hold> holds() {
		return this.holds.present();
	}

	/**
	 * Whether nobody holds, waits for, or has left anything here. Asked in the order in
	 * which one becomes the other, so that nothing is missed on its way.
	 */
	boolean isIdle() {
		return this.acquirer.isIdle() && this.holds.present().isEmpty() && this.settlement.isIdle();
	}

	/** How many keys anything is kept of. */
	int trackedKeys() {
		return this.queues.size() + this.watches.size();
	}

	/**
	 * Ends all waits, gives holders some time to end, cancels those that do not, and
	 * destroys the sessions. Goes through interrupts.
	 * @return whether the thread was interrupted; its flag is cleared
	 */
	boolean close(Duration shutdownTimeout) {
		this.closing.lock();
		try {
			boolean first = !this.closed;
			this.closed = true;
			return first ? closeNow(shutdownTimeout) : Thread.interrupted();
		}
		finally {
			this.closing.unlock();
		}
	}

	private boolean closeNow(Duration shutdownTimeout) {
		boolean interrupted = Thread.interrupted();
		this.acquirer.close(CANCEL_GRACE);
		interrupted |= Thread.interrupted();
		this.holds.closing();
		if (!this.holds.present().isEmpty()) {
			logger.info("Waiting up to {} s for {} locks to be released", shutdownTimeout.toSeconds(),
					this.holds.present().size());
		}
		this.holds.awaitEnd(shutdownTimeout);
		interrupted |= Thread.interrupted();
		this.holds.present().forEach((hold) -> this.holds.lose(hold, LockLostReason.SHUTDOWN));
		this.holds.awaitEnd(CANCEL_GRACE);
		interrupted |= Thread.interrupted();
		this.settlement.hurry();
		this.settlement.awaitAll(CANCEL_GRACE);
		interrupted |= Thread.interrupted();
		this.watches.close();
		this.sessions.close();
		interrupted |= Thread.interrupted();
		this.fences.close();
		return interrupted | Thread.interrupted();
	}

	/**
	 * Fails the futures of waits that have not ended when there is no thread for them.
	 */
	void abandon() {
		this.acquirer.abandon();
	}

}
