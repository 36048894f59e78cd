package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One hold: what it is, and in which state. What follows from a change of state is done
 * by {@link Holds}.
 */
final class Hold implements LockHandle {

	/**
	 * How far a hold is. Only HELD is held; only RELEASED and LOST are final.
	 */
	enum State {

		/** Becomes RELEASING, LOST or CANCELLED. */
		HELD,

		/**
		 * Lost by the shutdown or by its own limit, and still there for Consul: becomes
		 * RELEASING when its holder gives it up.
		 */
		CANCELLED,

		/**
		 * Its holder gives it up: becomes RELEASED, or LOST if it was lost before.
		 */
		RELEASING,

		/** Given up while it was held. */
		RELEASED,

		/** Lost, for a reason. */
		LOST

	}

	private static final Logger logger = LoggerFactory.getLogger(Hold.class);

	/**
	 * What was granted to a call.
	 *
	 * @param claimant to whom
	 * @param token the fencing token
	 * @param entries the lock's entries then
	 * @param chain how the lock has stayed in this JVM
	 */
	record Grant(Claimant claimant, long token, LockEntries entries, Turn.Chain chain) {
	}

	private final Holds holds;

	private final LockRequest request;

	private final Grant grant;

	private final Place place;

	private final long since = System.nanoTime();

	/** Guards the fields below; never held during a request or a callback. */
	private final ReentrantLock lock = new ReentrantLock();

	private State state = State.HELD;

	private @Nullable LockLostReason reason;

	private List<Consumer<LockLostReason>> callbacks = List.of();

	private LockEntries entries;

	private volatile boolean discarded;

	/** Ends the hold when it has lasted for as long as it may. */
	private @Nullable Future<?> limit;

	Hold(Holds holds, LockRequest request, Grant grant, Place place) {
		this.holds = holds;
		this.request = request;
		this.grant = grant;
		this.place = place;
		this.entries = grant.entries();
	}

	@Override
	public String key() {
		return this.request.key();
	}

	@Override
	public List<String> keys() {
		return this.request.kind().keys();
	}

	@Override
	public long fencingToken() {
		return this.grant.token();
	}

	@Override
	public boolean isHeld() {
		return state() == State.HELD && session().isLive();
	}

	@Override
	public Duration remaining() {
		return (state() == State.HELD) ? session().remaining() : Duration.ZERO;
	}

	@Override
	public void ensureHeld() {
		if (isHeld()) {
			return;
		}
		throw new LockLostException(key(), fencingToken(), whyLost());
	}

	/**
	 * Looks at state and reason at once: a loss on its way here must not pass for a
	 * release.
	 */
	private LockLostReason whyLost() {
		this.lock.lock();
		try {
			if (this.reason != null) {
				return this.reason;
			}
			if (this.state == State.HELD) {
				return session().lostReason().orElse(LockLostReason.DEADLINE_PASSED);
			}
		}
		finally {
			this.lock.unlock();
		}
		throw new IllegalStateException("The lock '" + key() + "' was released by its holder");
	}

	@Override
	public void onLost(Consumer<LockLostReason> callback) {
		LockLostReason lost;
		this.lock.lock();
		try {
			lost = this.reason;
			if (lost == null && this.state != State.RELEASED) {
				this.callbacks = with(callback);
			}
		}
		finally {
			this.lock.unlock();
		}
		if (lost != null) {
			run(callback, lost);
		}
	}

	/** Needs the lock. */
	private List<Consumer<LockLostReason>> with(Consumer<LockLostReason> callback) {
		List<Consumer<LockLostReason>> more = new ArrayList<>(this.callbacks.size() + 1);
		more.addAll(this.callbacks);
		more.add(callback);
		return more;
	}

	@Override
	public boolean release() {
		if (state() == State.HELD && !session().isLive()) {
			lose(session().lostReason().orElse(LockLostReason.DEADLINE_PASSED));
		}
		boolean first = markReleasing();
		boolean held = lostReason().isEmpty();
		return first ? this.holds.release(this) && held : held;
	}

	/** HELD or CANCELLED becomes RELEASING; false if it was neither. */
	private boolean markReleasing() {
		this.lock.lock();
		try {
			if (this.state != State.HELD && this.state != State.CANCELLED) {
				return false;
			}
			this.state = State.RELEASING;
			if (this.limit != null) {
				this.limit.cancel(false);
			}
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public CompletableFuture<Boolean> releaseAsync() {
		return this.holds.releaseAsync(this);
	}

	@Override
	public void guardedPut(String entry, String value) {
		ensureHeld();
		this.holds.guardedPut(this, entry, value);
	}

	@Override
	public void close() {
		try {
			release();
		}
		catch (RuntimeException ex) {
			logger.warn("The release of the lock '{}' failed", key(), ex);
		}
	}

	/** Ends it, unless it has ended. */
	void lose(LockLostReason why) {
		this.holds.lose(this, why);
	}

	/** HELD becomes LOST, or CANCELLED; false if it was not held any more. */
	boolean markLost(LockLostReason why) {
		this.lock.lock();
		try {
			if (this.state != State.HELD) {
				return false;
			}
			this.state = isCancellation(why) ? State.CANCELLED : State.LOST;
			this.reason = why;
			if (this.limit != null) {
				this.limit.cancel(false);
			}
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Whether the lock is still held for others then, until the holder gives it up. */
	static boolean isCancellation(LockLostReason why) {
		return why == LockLostReason.SHUTDOWN || why == LockLostReason.MAX_HOLD_EXCEEDED;
	}

	/**
	 * RELEASING becomes RELEASED, or LOST if the lock was lost before.
	 * @param lostBefore why the release found it lost, or null if it did not
	 * @return whether that is news: nobody was told of the loss yet
	 */
	boolean markReleased(@Nullable LockLostReason lostBefore) {
		this.lock.lock();
		try {
			if (this.state != State.RELEASING) {
				return false;
			}
			boolean news = this.reason == null && lostBefore != null;
			if (news) {
				this.reason = lostBefore;
			}
			this.state = (this.reason != null) ? State.LOST : State.RELEASED;
			if (this.state == State.RELEASED) {
				this.callbacks = List.of();
			}
			return news;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The callbacks to run for a loss; each is given out once. */
	List<Runnable> takeCallbacks(LockLostReason why) {
		List<Consumer<LockLostReason>> taken;
		this.lock.lock();
		try {
			taken = this.callbacks;
			this.callbacks = List.of();
		}
		finally {
			this.lock.unlock();
		}
		return taken.stream().map((callback) -> (Runnable) () -> run(callback, why)).toList();
	}

	private void run(Consumer<LockLostReason> callback, LockLostReason why) {
		try {
			callback.accept(why);
		}
		catch (RuntimeException ex) {
			logger.warn("A callback for the loss of the lock '{}' failed", key(), ex);
		}
	}

	/** Somebody wrote to an entry, and the hold is still ours. */
	void moved(LockEntries now) {
		this.lock.lock();
		try {
			this.entries = now;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The lock's entries as last seen. */
	LockEntries entries() {
		this.lock.lock();
		try {
			return this.entries;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Has its end called off when it has ended; at once if it has already. */
	void limitedBy(Future<?> end) {
		this.lock.lock();
		try {
			this.limit = end;
			if (isEnding()) {
				end.cancel(false);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Needs the lock. */
	private boolean isEnding() {
		return this.state == State.RELEASING || isFinal(this.state);
	}

	private static boolean isFinal(State state) {
		return state == State.RELEASED || state == State.LOST;
	}

	/** Whether its state is final. */
	boolean isOver() {
		return isFinal(state());
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

	Optional<LockLostReason> lostReason() {
		this.lock.lock();
		try {
			return Optional.ofNullable(this.reason);
		}
		finally {
			this.lock.unlock();
		}
	}

	LockRequest request() {
		return this.request;
	}

	LockKind kind() {
		return this.request.kind();
	}

	Claimant claimant() {
		return this.grant.claimant();
	}

	ConsulSession session() {
		return claimant().session();
	}

	Turn.Chain chain() {
		return this.grant.chain();
	}

	Place place() {
		return this.place;
	}

	/** Gives up what its caller never had, and so need not keep others out for. */
	void discard() {
		this.discarded = true;
		close();
	}

	/** How much is left of the time for which others are kept out at least. */
	Duration kept() {
		if (this.discarded) {
			return Duration.ZERO;
		}
		Duration rest = this.request.holdAtLeast().minus(held());
		return rest.isNegative() ? Duration.ZERO : rest;
	}

	Duration held() {
		return Duration.ofNanos(System.nanoTime() - this.since);
	}

	@Override
	public String toString() {
		return "LockHandle[" + key() + ", token " + fencingToken() + ", " + state() + "]";
	}

}
