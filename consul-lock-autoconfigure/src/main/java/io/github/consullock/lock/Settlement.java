package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.session.ConsulSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings requests whose outcome is unknown, and whose callers have left, to an end: after
 * it, the key is not held by the session, nor will a late copy of the request have it
 * held. Until then the key's place in the local queue stays taken, so that a JVM has one
 * attempt per key under way. When the session ends before, Consul frees the key.
 */
final class Settlement {

	private static final Logger logger = LoggerFactory.getLogger(Settlement.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	/**
	 * So long a refusal to look at a queue may pass by itself. No lock is handed to an
	 * entry that is left there for longer.
	 */
	private static final Duration REFUSED = Contenders.FRESH.multipliedBy(2);

	private final LockProtocol protocol;

	private final Background background;

	/** What is being settled. */
	private final Outstanding<Place> open = new Outstanding<>();

	/** What waits until it may begin. */
	private final ConcurrentMap<Wait, ConsulSession> delayed = new ConcurrentHashMap<>();

	private volatile boolean hurrying;

	Settlement(LockProtocol protocol, Background background) {
		this.protocol = protocol;
		this.background = background;
	}

	/**
	 * After an acquire: moves the fence, then frees what turns out to be ours.
	 * @param before the entries as the acquire found them
	 */
	void undo(LockKind kind, Claimant claimant, Fence fence, LockEntries before, Place place) {
		Runnable freeing = freeing(kind, claimant, before);
		begin(claimant.session(), place, () -> {
			fence.move(TIMEOUT);
			if (this.protocol.read(kind, TIMEOUT).token(claimant) != before.token(claimant)
					|| before.token(claimant) == 0) {
				freeing.run();
			}
		}, Duration.ZERO);
	}

	/**
	 * Frees all that the claimant has; after a release or a hand-over, which are bound to
	 * the entries' indexes themselves.
	 * @param before the entries as they were last seen
	 * @param delay when to begin, unless the registry is closed before
	 */
	void free(LockKind kind, Claimant claimant, LockEntries before, Place place, Duration delay) {
		begin(claimant.session(), place, freeing(kind, claimant, before), delay);
	}

	private Runnable freeing(LockKind kind, Claimant claimant, LockEntries before) {
		WaitBudget permission = WaitBudget.startingNow(REFUSED);
		return () -> this.protocol.free(kind, permission.isSpent() ? kind.unseen() : before, claimant, TIMEOUT);
	}

	/** Begins all that is delayed, and delays nothing any more. */
	void hurry() {
		this.hurrying = true;
		this.delayed.keySet().forEach(Wait::wake);
	}

	/** Begins what is delayed and was the session's: others may have it by now. */
	void ended(ConsulSession session) {
		this.delayed.forEach((wait, of) -> {
			if (of == session) {
				wait.wake();
			}
		});
	}

	/** Waits until all is settled, or the time is up. */
	void awaitAll(Duration timeout) {
		this.open.awaitNone(timeout);
	}

	/** Whether there is nothing to settle. */
	boolean isIdle() {
		return this.open.items().isEmpty();
	}

	private void begin(ConsulSession session, Place place, Runnable attempt, Duration delay) {
		if (!place.beginSettlement()) {
			return;
		}
		this.open.begin(place);
		Runnable task = () -> settle(session, place, attempt);
		if (delay.isZero()) {
			place.settling();
			this.background.execute(task);
		}
		else {
			Wait wait = Wait.pause(delay);
			this.delayed.put(wait, session);
			wait.then(this.background, this.background, () -> {
				this.delayed.remove(wait);
				task.run();
			});
			if (this.hurrying || !session.isLive()) {
				wait.wake();
			}
		}
	}

	private void settle(ConsulSession session, Place place, Runnable attempt) {
		Backoff backoff = new Backoff();
		try {
			while (session.mayHold() && !isDone(place, attempt, backoff)) {
				backoff.pause();
			}
		}
		catch (InterruptedException ex) {
			logger.debug("Closed before {} was settled; its session is destroyed", place);
		}
		finally {
			// Before the next of this key can begin.
			this.open.end(place);
			place.leave(false);
		}
	}

	private boolean isDone(Place place, Runnable attempt, Backoff backoff) {
		try {
			attempt.run();
			return true;
		}
		catch (RuntimeException | Error ex) {
			if (ex instanceof LockException trouble) {
				place.trouble(trouble);
			}
			if (backoff.isFirst() && !(ex instanceof ConsulUnavailableException)) {
				logger.warn("What is left of {} cannot be settled, trying again until its session ends", place, ex);
			}
		}
		return false;
	}

}
