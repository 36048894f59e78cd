package io.github.consullock.lock;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;
import io.github.consullock.lock.KeyWatches.Subscription;
import io.github.consullock.lock.LockProtocol.Attempt;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * The one of this JVM that contends for a key in Consul: tries, waits while somebody else
 * holds it, and settles what it cannot know. For use by one thread, once.
 */
final class Contender {

	/** A single attempt, and each step of it, may take this long. */
	private static final Duration SINGLE_ATTEMPT = Duration.ofSeconds(2);

	/**
	 * Less is not left for a request, or it would be given up before it can be answered.
	 */
	private static final Duration SHORTEST_REQUEST = Duration.ofMillis(200);

	/** A waiter looks for itself that often, whatever its watch says. */
	private static final Duration LOOK = Duration.ofSeconds(2);

	private static final Duration LOCK_DELAY_POLL = Duration.ofMillis(200);

	/** How long others may take to wake up when the lock was released for their sake. */
	private static final Duration YIELD = Duration.ofMillis(30);

	private static final int TRIES_OF_SINGLE_ATTEMPT = 4;

	private final LockParts parts;

	private final LockRequest request;

	private final String key;

	private final WaitBudget budget;

	private final WaitReport report;

	private final Mailbox mailbox = new Mailbox();

	private final Backoff backoff = new Backoff();

	private volatile boolean cancelled;

	private @Nullable Subscription subscription;

	/** The session of the last attempt. */
	private @Nullable ConsulSession own;

	/** The entry as last seen; null if it was absent or not looked at. */
	private @Nullable KvEntry seen;

	/** Set while an attempt's outcome is unknown. */
	private @Nullable Fence unsettled;

	private String obstacle = "other contenders were faster";

	/** Whether trying again at once is pointless. */
	private boolean closedForDelay;

	Contender(LockParts parts, LockRequest request, WaitBudget budget, WaitReport report) {
		this.parts = parts;
		this.request = request;
		this.key = request.key();
		this.budget = budget;
		this.report = report;
	}

	Acquisition run(boolean yielding) throws InterruptedException {
		Hold hold = null;
		try {
			if (yielding && !this.budget.isSingleAttempt()) {
				yieldToOthers();
			}
			hold = contend();
			return (hold != null) ? new Acquired(hold) : new InVain(this.obstacle);
		}
		finally {
			if (this.subscription != null) {
				this.subscription.close();
			}
			if (this.unsettled != null) {
				this.parts.settlement().undo(this.request, this.unsettled);
			}
			else if (hold == null) {
				this.parts.queues().leave(this.key, false);
			}
		}
	}

	/** Ends the wait, in vain; for any thread. */
	void cancel() {
		this.cancelled = true;
		this.mailbox.close();
	}

	private @Nullable Hold contend() throws InterruptedException {
		for (int tries = 1;; tries++) {
			try {
				if (this.cancelled) {
					this.obstacle = "the registry is closed";
					return null;
				}
				Hold hold = settle();
				if (hold == null && awaitFree()) {
					hold = attempt();
				}
				this.parts.queues().trouble(this.key, null);
				if (hold != null) {
					return hold;
				}
				if (isOver(tries)) {
					return null;
				}
			}
			catch (ConsulUnavailableException ex) {
				if (Thread.interrupted()) {
					throw new InterruptedException();
				}
				this.parts.queues().trouble(this.key, ex);
				this.report.unavailable(ex);
				if (this.budget.isSpent()) {
					throw ex;
				}
				this.backoff.pause(this.budget.remaining());
			}
		}
	}

	/** A single attempt may find that the entry has changed, and look and try again. */
	private boolean isOver(int tries) {
		return this.budget.isSpent() && (!this.budget.isSingleAttempt() || this.closedForDelay
				|| tries >= TRIES_OF_SINGLE_ATTEMPT || isHeldByAnother(this.seen));
	}

	private @Nullable Hold attempt() throws InterruptedException {
		ConsulSession session = session();
		this.own = session;
		Fence fence = this.parts.fences().of(session, timeout());
		long fenceIndex = fence.index();
		this.unsettled = fence;
		Attempt outcome;
		try {
			outcome = this.parts.protocol()
				.tryLock(fence, fenceIndex, this.key, this.request.value(), this.seen, timeout());
		}
		catch (ConsulRefusedException ex) {
			this.unsettled = null;
			throw ex;
		}
		if (outcome instanceof Attempt.Acquired acquired) {
			Hold hold = admit(session, acquired.token());
			this.unsettled = null;
			return hold;
		}
		this.unsettled = null;
		if (outcome instanceof Attempt.Changed) {
			this.seen = this.parts.protocol().look(this.key, timeout());
			if (this.seen != null && isHeldByAnother(this.seen)) {
				this.obstacle = "held by " + describe(this.seen);
			}
		}
		else if (outcome instanceof Attempt.InLockDelay) {
			this.obstacle = "its last holder's session ended, and the key is closed for lock-delay";
			this.closedForDelay = true;
			this.report.waiting(this.obstacle);
			Thread.sleep(this.budget.limit(LOCK_DELAY_POLL).toMillis());
		}
		else if (outcome instanceof Attempt.FenceMoved) {
			if (fence.index() == fenceIndex && session.isLive()) {
				fence.move(timeout());
			}
		}
		else if (outcome instanceof Attempt.SessionEnded) {
			this.parts.keeper().verify(session);
			this.backoff.pause(timeout());
		}
		return null;
	}

	/**
	 * Learns what became of an attempt whose answer was lost: from the moment the fence
	 * has moved, no copy of it can be applied any more, so what the key shows then,
	 * stays.
	 */
	private @Nullable Hold settle() {
		Fence fence = this.unsettled;
		if (fence == null) {
			return null;
		}
		ConsulSession session = fence.session();
		Hold hold = null;
		if (session.isLive()) {
			fence.move(timeout());
			KvEntry before = this.seen;
			KvEntry now = this.parts.protocol().look(this.key, timeout());
			if (now != null && session.isLive() && session.id().equals(now.session()) && !isUnchanged(before, now)) {
				hold = admit(session, now.modifyIndex());
			}
			this.seen = now;
		}
		this.unsettled = null;
		return hold;
	}

	/**
	 * An entry that was ours before, left behind, and has not changed since, was not
	 * acquired by the attempt: its index was a token before.
	 */
	private static boolean isUnchanged(@Nullable KvEntry before, KvEntry now) {
		return before != null && before.modifyIndex() == now.modifyIndex();
	}

	private Hold admit(ConsulSession session, long token) {
		return this.parts.holds().admit(this.request, session, token, Turn.Chain.begin(), this.budget.elapsed());
	}

	private ConsulSession session() throws InterruptedException {
		Duration timeout = timeout();
		try {
			return this.parts.keeper().session().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (TimeoutException ex) {
			throw new ConsulUnavailableException("Consul gave no session within " + timeout.toMillis()
					+ " ms: the request for one has had no answer. Check spring.cloud.consul.host and port, or"
					+ " consul.lock.connection.url.", ex);
		}
		catch (ExecutionException ex) {
			Throwable cause = ex.getCause();
			String message = Objects.requireNonNullElse((cause != null) ? cause.getMessage() : null, "No session");
			throw (cause instanceof ConsulRefusedException) ? new ConsulRefusedException(message, cause)
					: new ConsulUnavailableException(message, cause);
		}
	}

	/**
	 * Waits while another session holds the key, as far as it was seen.
	 * @return false when the time is up, or the registry is being closed
	 */
	private boolean awaitFree() throws InterruptedException {
		while (isHeldByAnother(this.seen)) {
			KvEntry held = Objects.requireNonNull(this.seen);
			this.obstacle = "held by " + describe(held);
			if (this.budget.isSpent() || this.cancelled) {
				return false;
			}
			this.report.waiting(this.obstacle);
			KvSnapshot news = watch(
					(snapshot) -> snapshot.index() > held.modifyIndex() && !isHeldByAnother(snapshot.entry()),
					this.budget.limit(LOOK));
			if (news != null) {
				this.seen = LockProtocol.checkIsLock(this.key, news.entry());
			}
			else if (!this.budget.isSpent()) {
				this.seen = this.parts.protocol().look(this.key, timeout());
			}
		}
		return true;
	}

	private void yieldToOthers() throws InterruptedException {
		KvSnapshot taken = watch((snapshot) -> isHeldByAnother(snapshot.entry()), this.budget.limit(YIELD));
		if (taken != null) {
			this.seen = taken.entry();
		}
	}

	private @Nullable KvSnapshot watch(Predicate<KvSnapshot> wanted, Duration timeout) throws InterruptedException {
		if (this.subscription == null) {
			this.subscription = this.parts.watches().subscribe(this.key, this.mailbox);
		}
		return this.mailbox.await(wanted, timeout);
	}

	private Duration timeout() {
		if (this.budget.isSingleAttempt()) {
			return SINGLE_ATTEMPT;
		}
		Duration remaining = this.budget.remaining();
		return (remaining.compareTo(SHORTEST_REQUEST) > 0) ? remaining : SHORTEST_REQUEST;
	}

	/**
	 * No other thread of this JVM talks to Consul about this key: where the entry shows
	 * our own session, it was left behind, and is taken over.
	 */
	private boolean isHeldByAnother(@Nullable KvEntry entry) {
		if (entry == null || entry.session() == null) {
			return false;
		}
		return this.own == null || !entry.session().equals(this.own.id());
	}

	private static String describe(KvEntry entry) {
		String value = entry.value();
		String holder = (value.length() > 200) ? value.substring(0, 200) + "..." : value;
		return (holder.isBlank() ? "a holder without a description" : holder) + " (session " + entry.session() + ")";
	}

}
