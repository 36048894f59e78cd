package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.stream.Collectors;

import io.github.consullock.LockException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.KeyWatches.Subscription;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices that a held key was deleted, released or taken over, although the session
 * lives. Begins after once or twice a moment of grace, so that a short hold costs no
 * request.
 */
final class HoldMonitor {

	private static final Logger logger = LoggerFactory.getLogger(HoldMonitor.class);

	private static final Duration GRACE = Duration.ofMillis(250);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final LockProtocol protocol;

	private final Predicate<ConsulSession> sessionEnds;

	private final KeyWatches watches;

	private final Background background;

	/** Those that are not worth a request yet. */
	private final Set<Hold> young = ConcurrentHashMap.newKeySet();

	/** The others, with what ends their watch. */
	private final ConcurrentMap<Hold, List<Subscription>> watched = new ConcurrentHashMap<>();

	/**
	 * Whether a look at the young ones is to come, as it is while there are any. One that
	 * is under way does not count: it may have passed by the newest.
	 */
	private final AtomicBoolean lookDue = new AtomicBoolean();

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

	/**
	 * Has a hold watched soon. A timer of its own for each would wake a thread each time,
	 * for holds most of which are over before.
	 */
	void begin(Hold hold) {
		this.young.add(hold);
		lookLater();
		endIfOver(hold);
	}

	/** Forgets a hold that is not held any more. */
	void end(Hold hold) {
		this.young.remove(hold);
		List<Subscription> subscriptions = this.watched.remove(hold);
		if (subscriptions != null) {
			subscriptions.forEach(Subscription::close);
		}
	}

	/** It may have ended before there was anything to end here. */
	private void endIfOver(Hold hold) {
		if (hold.state() != Hold.State.HELD) {
			end(hold);
		}
	}

	private void lookLater() {
		if (this.lookDue.compareAndSet(false, true) && this.background.schedule(this::look, GRACE).isDone()) {
			// Refused, perhaps since there was no thread: the next hold tries again.
			this.lookDue.set(false);
		}
	}

	private void look() {
		this.lookDue.set(false);
		try {
			for (Hold hold : this.young) {
				if (hold.held().compareTo(GRACE) >= 0) {
					this.young.remove(hold);
					watch(hold);
				}
			}
		}
		finally {
			if (!this.young.isEmpty()) {
				lookLater();
			}
		}
	}

	private void watch(Hold hold) {
		LockEntries known = hold.entries();
		List<Subscription> subscriptions = known.watched(hold.claimant())
			.stream()
			.map((key) -> this.watches.subscribe(key, known.lastSeen(key), (snapshot) -> check(hold, key, snapshot)))
			.collect(Collectors.toUnmodifiableList());
		this.watched.put(hold, subscriptions);
		endIfOver(hold);
	}

	private void check(Hold hold, String key, KvSnapshot snapshot) {
		if (hold.state() != Hold.State.HELD) {
			return;
		}
		LockEntries now = hold.entries().with(key, snapshot);
		if (now.token(hold.claimant()) != 0) {
			hold.moved(now);
		}
		else if (snapshot.index() > hold.fencingToken()) {
			this.background.execute(() -> confirm(hold));
		}
	}

	/**
	 * The answer of a watch may come from a server that lags behind; a consistent read is
	 * proof.
	 */
	private void confirm(Hold hold) {
		try {
			LockEntries now = this.protocol.read(hold.kind(), TIMEOUT);
			if (now.token(hold.claimant()) == 0) {
				hold.lose(lossShownBy(hold, now));
			}
		}
		catch (LockException ex) {
			logger.debug("Whether '{}' is lost cannot be said yet: {}", hold.key(), ex.getMessage());
			if (hold.isHeld()) {
				this.background.executeLater(() -> confirm(hold), GRACE);
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

}
