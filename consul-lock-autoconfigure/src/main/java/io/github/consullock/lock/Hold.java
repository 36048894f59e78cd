package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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
		 * Lost by the shutdown, and still there for Consul: becomes RELEASING when its
		 * holder gives it up.
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

	private final Holds holds;

	private final String key;

	private final ConsulSession session;

	private final long token;

	private final Turn.Chain chain;

	private final LockRequest request;

	private final long since = System.nanoTime();

	/** Guards the fields below; never held during a request or a callback. */
	private final ReentrantLock lock = new ReentrantLock();

	private State state = State.HELD;

	private @Nullable LockLostReason reason;

	private List<Consumer<LockLostReason>> callbacks = new ArrayList<>(1);

	private long index;

	Hold(Holds holds, LockRequest request, ConsulSession session, long token, Turn.Chain chain) {
		this.holds = holds;
		this.key = request.key();
		this.request = request;
		this.session = session;
		this.token = token;
		this.index = token;
		this.chain = chain;
	}

	@Override
	public String key() {
		return this.key;
	}

	@Override
	public List<String> keys() {
		return List.of(this.key);
	}

	@Override
	public long fencingToken() {
		return this.token;
	}

	@Override
	public boolean isHeld() {
		return state() == State.HELD && this.session.isLive();
	}

	@Override
	public Duration remaining() {
		return (state() == State.HELD) ? this.session.remaining() : Duration.ZERO;
	}

	@Override
	public void ensureHeld() {
		if (isHeld()) {
			return;
		}
		throw new LockLostException(this.key, this.token, whyLost());
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
				return this.session.lostReason().orElse(LockLostReason.DEADLINE_PASSED);
			}
		}
		finally {
			this.lock.unlock();
		}
		throw new IllegalStateException("The lock '" + this.key + "' was released by its holder");
	}

	@Override
	public void onLost(Consumer<LockLostReason> callback) {
		LockLostReason lost;
		this.lock.lock();
		try {
			lost = this.reason;
			if (lost == null && this.state != State.RELEASED) {
				this.callbacks.add(callback);
			}
		}
		finally {
			this.lock.unlock();
		}
		if (lost != null) {
			run(callback, lost);
		}
	}

	@Override
	public boolean release() {
		if (state() == State.HELD && !this.session.isLive()) {
			this.holds.lose(this, this.session.lostReason().orElse(LockLostReason.DEADLINE_PASSED));
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
			return true;
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public CompletableFuture<Boolean> releaseAsync() {
		return CompletableFuture.supplyAsync(this::release);
	}

	@Override
	public void guardedPut(String entry, String value) {
		throw new UnsupportedOperationException("not yet");
	}

	@Override
	public void close() {
		try {
			release();
		}
		catch (RuntimeException ex) {
			logger.warn("The release of the lock '{}' failed", this.key, ex);
		}
	}

	/** HELD becomes LOST, or CANCELLED; false if it was not held any more. */
	boolean markLost(LockLostReason why) {
		this.lock.lock();
		try {
			if (this.state != State.HELD) {
				return false;
			}
			this.state = (why == LockLostReason.SHUTDOWN) ? State.CANCELLED : State.LOST;
			this.reason = why;
			return true;
		}
		finally {
			this.lock.unlock();
		}
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
			logger.warn("A callback for the loss of the lock '{}' failed", this.key, ex);
		}
	}

	/** Somebody wrote to the entry, and the hold is still ours: its index has moved. */
	void moved(long newIndex) {
		this.lock.lock();
		try {
			this.index = Math.max(this.index, newIndex);
		}
		finally {
			this.lock.unlock();
		}
	}

	/** The entry's index as last seen; at first, the token. */
	long index() {
		this.lock.lock();
		try {
			return this.index;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Whether its state is final. */
	boolean isOver() {
		State now = state();
		return now == State.RELEASED || now == State.LOST;
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

	ConsulSession session() {
		return this.session;
	}

	Turn.Chain chain() {
		return this.chain;
	}

	Duration held() {
		return Duration.ofNanos(System.nanoTime() - this.since);
	}

	@Override
	public String toString() {
		return "LockHandle[" + this.key + ", token " + this.token + ", " + state() + "]";
	}

}
