package io.github.consullock.lock;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;
import io.github.consullock.lock.LockEntries.Obstacle;
import io.github.consullock.lock.LockProtocol.Attempt;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * The one in this JVM that tries to acquire a lock from Consul: one request if it is
 * free; otherwise it waits for the entry that is in its way to change. It goes on in
 * steps, each up to where there is something to wait for, so that a wait needs no thread.
 * For use by one thread at a time; {@link #cancel()} may come from any.
 */
final class Contender {

	/** How long the one attempt of a wait time of zero may take. */
	private static final Duration SINGLE_ATTEMPT = Duration.ofSeconds(2);

	/**
	 * Less is not left for a request, or it would be given up before it can be answered.
	 */
	private static final Duration SHORTEST_REQUEST = Duration.ofMillis(200);

	/**
	 * A waiter looks for itself that often, whatever its watch says; or less often where
	 * very many wait, if its watch tells of the end of the session that is in the way.
	 * What time alone demands of it, it does that often in any case.
	 */
	private static final Duration LOOK = Duration.ofSeconds(2);

	private static final Duration LOCK_DELAY_POLL = Duration.ofMillis(200);

	/** How long others may take to wake up when the lock was released for their sake. */
	private static final Duration YIELD = Duration.ofMillis(30);

	private static final Duration NEVER = Duration.ofNanos(Long.MAX_VALUE);

	private static final int TRIES_OF_SINGLE_ATTEMPT = 4;

	private final LockParts parts;

	private final LockRequest request;

	private LockKind kind;

	private final Place place;

	private final WaitBudget budget;

	private final WaitReport report;

	private final Mailbox mailbox = new Mailbox();

	private final Backoff backoff = new Backoff();

	/** Whether others are to have the first try. */
	private boolean yielding;

	private volatile boolean cancelled;

	/** What is waited for, if anything is. */
	private volatile @Nullable Wait current;

	private @Nullable Acquisition outcome;

	private int tries;

	/** Whom the last attempt was for. */
	private @Nullable Claimant claimant;

	private LockEntries seen;

	/** Whether there is anything to go by. */
	private boolean looked;

	private long lastLook = System.nanoTime();

	/** Whether something of the claimant is there already. */
	private boolean closer;

	/** An index after which it is. */
	private long closerSince = Long.MAX_VALUE;

	/** Set while an attempt's outcome is unknown. */
	private @Nullable Fence unsettled;

	/** Set while a session is waited for. */
	private @Nullable CompletableFuture<ConsulSession> asked;

	private Duration askedFor = Duration.ZERO;

	/** The entry that is watched, and for what. */
	private @Nullable News news;

	private String obstacle = "other contenders were faster";

	/** Whether trying again at once is pointless. */
	private boolean closedForDelay;

	Contender(LockParts parts, LockRequest request, Place place, WaitBudget budget, WaitReport report,
			boolean yielding) {
		this.parts = parts;
		this.request = request;
		// A session of the caller's own may wait in several JVMs at once.
		this.kind = parts.sessions().borrowed() ? request.kind().unqueued() : request.kind();
		this.place = place;
		this.budget = budget;
		this.report = report;
		this.yielding = yielding && !budget.isSingleAttempt();
		LockEntries known = mayGoByWhatIsKnown() ? parts.contention().sinceHandOver(this.kind) : null;
		this.seen = (known != null) ? known : this.kind.unseen();
		// What a session of the caller's own holds already must not pass for what an
		// attempt has acquired, whose answer is lost.
		this.looked = known != null || (!this.kind.isReadFirst() && !parts.sessions().borrowed()
				&& !parts.contention().isLikely(this.kind.key()));
	}

	/**
	 * One that queues up may, since it goes on with what its watch tells. Who is fair has
	 * to see all who wait.
	 */
	private boolean mayGoByWhatIsKnown() {
		return !this.budget.isSingleAttempt() && !this.request.fair() && !this.kind.isReadFirst()
				&& !this.kind.unqueued().equals(this.kind);
	}

	/**
	 * Goes on as far as it can without waiting.
	 * @return what to wait for, or {@code null} if there is an outcome
	 */
	@Nullable Wait advance() throws InterruptedException {
		this.current = null;
		while (this.outcome == null) {
			if (this.cancelled) {
				this.outcome = new InVain("the registry is closed");
				break;
			}
			Wait wait = tryToGoOn();
			if (wait != null) {
				this.current = wait;
				if (this.cancelled) {
					wait.wake();
				}
				return wait;
			}
		}
		return null;
	}

	/** What came of it. */
	Acquisition outcome() {
		return Objects.requireNonNull(this.outcome);
	}

	/** Ends the wait, in vain; for any thread. */
	void cancel() {
		this.cancelled = true;
		Wait wait = this.current;
		if (wait != null) {
			wait.wake();
		}
	}

	/**
	 * Leaves nothing behind, wherever it was: an attempt of unknown outcome is settled in
	 * the background. What was acquired is the hold's.
	 */
	void end() {
		this.mailbox.end();
		if (this.outcome instanceof Acquired) {
			return;
		}
		Claimant me = this.claimant;
		if (me != null && this.unsettled != null) {
			this.parts.settlement().undo(this.request.kind(), me, this.unsettled, this.seen, this.place);
		}
		else if (me != null && this.closer) {
			this.parts.settlement().free(this.request.kind(), me, this.seen, this.place, Duration.ZERO);
		}
		else {
			this.place.leave(false);
		}
	}

	private @Nullable Wait tryToGoOn() throws InterruptedException {
		try {
			Wait wait = goOn();
			this.place.trouble(null);
			return wait;
		}
		catch (ConsulUnavailableException ex) {
			if (Thread.interrupted()) {
				throw new InterruptedException();
			}
			this.place.trouble(ex);
			this.report.unavailable(ex);
			if (this.budget.isSpent()) {
				throw ex;
			}
			return Wait.pause(this.budget.limit(this.backoff.next()));
		}
	}

	private @Nullable Wait goOn() throws InterruptedException {
		if (this.yielding) {
			this.yielding = false;
			return watch(this.kind.key(), (snapshot) -> !this.seen.with(this.kind.key(), snapshot).holders().isEmpty(),
					YIELD, NEVER);
		}
		hear();
		settle();
		admitHandedOver();
		if (this.outcome != null) {
			return null;
		}
		if (!this.looked) {
			// Who waits is of interest when the lock is not to be had.
			this.seen = this.kind.isReadFirst() ? this.parts.protocol().read(this.kind, timeout()) : look();
			this.looked = true;
		}
		// What a session of the caller's own holds is not in its way; and who waits may
		// queue up, for which it needs its session.
		boolean unknown = this.claimant == null && (this.parts.sessions().borrowed() || !this.budget.isSingleAttempt());
		Obstacle inTheWay = unknown ? null : this.seen.obstacle(this.claimant);
		if (inTheWay != null) {
			return awaitEnd(inTheWay);
		}
		Wait wait = attempt();
		if (this.outcome == null && wait == null && isOver()) {
			this.outcome = new InVain(this.obstacle);
		}
		return wait;
	}

	private void admitHandedOver() {
		Claimant me = this.claimant;
		if (!this.closer || me == null || this.outcome != null) {
			return;
		}
		if (this.seen.isOutdated(me)) {
			this.seen = look();
		}
		LockEntries entries = this.seen.handedOver(me, this.closerSince);
		if (entries != null) {
			acquired(me, entries.token(me), entries);
		}
	}

	/** A single attempt may find that an entry has changed, and look and try again. */
	private boolean isOver() {
		return this.budget.isSpent() && (!this.budget.isSingleAttempt() || this.closedForDelay || isTriedEnough()
				|| this.seen.obstacle(this.claimant) != null);
	}

	/** Where several may hold a lock, those who come and go all write to one entry. */
	private boolean isTriedEnough() {
		return this.tries >= TRIES_OF_SINGLE_ATTEMPT
				&& (this.kind.isExclusive() || this.budget.elapsed().compareTo(SINGLE_ATTEMPT) > 0);
	}

	private @Nullable Wait awaitEnd(Obstacle inTheWay) {
		this.obstacle = inTheWay.description();
		if (this.budget.isSpent()) {
			this.outcome = new InVain(this.obstacle);
			return null;
		}
		this.report.waiting(this.obstacle);
		LockEntries known = this.seen;
		Claimant me = this.claimant;
		Duration pause = inTheWay.passing() ? LOCK_DELAY_POLL : LOOK;
		return watch(inTheWay.key(), (snapshot) -> isWayOut(known, inTheWay.key(), snapshot, me), pause,
				isHeld(known.lastSeen(inTheWay.key())) ? this.parts.watches().betweenLooks(pause) : pause);
	}

	/** Only such an entry changes with the end of the session that is in the way. */
	private static boolean isHeld(@Nullable KvEntry entry) {
		return entry != null && entry.session() != null;
	}

	private static boolean isWayOut(LockEntries known, String key, KvSnapshot snapshot, @Nullable Claimant claimant) {
		LockEntries now = known.with(key, snapshot);
		if (now == known) {
			return false;
		}
		Obstacle next = now.obstacle(claimant);
		return next == null || !next.key().equals(key);
	}

	private Wait watch(String key, Predicate<KvSnapshot> wanted, Duration atMost, Duration betweenLooks) {
		this.mailbox.open(this.parts.watches(), key, this.seen.lastSeen(key));
		CompletableFuture<KvSnapshot> snapshot = this.mailbox.next(wanted);
		this.news = new News(key, snapshot, betweenLooks);
		return Wait.until(snapshot, this.budget.limit(atMost));
	}

	/** Takes in what has come of a watch, or looks for itself. */
	private void hear() {
		News awaited = this.news;
		if (awaited == null) {
			return;
		}
		KvSnapshot snapshot = this.mailbox.take(awaited.snapshot());
		if (snapshot != null) {
			this.seen = this.seen.with(awaited.key(), snapshot);
		}
		else if (isOld(awaited.betweenLooks()) && !this.budget.isSpent()) {
			this.seen = look();
		}
		else {
			KvSnapshot latest = this.mailbox.latest();
			this.seen = (latest != null) ? this.seen.with(awaited.key(), latest) : this.seen;
		}
		// Not before: where the look fails, it is to be made again.
		this.news = null;
	}

	private boolean isOld(Duration betweenLooks) {
		return System.nanoTime() - this.lastLook >= betweenLooks.toNanos();
	}

	private LockEntries look() {
		LockEntries now;
		try {
			now = this.parts.protocol().readAgain(this.seen, timeout());
		}
		catch (ConsulRefusedException ex) {
			now = withoutQueue(ex);
		}
		this.lastLook = System.nanoTime();
		return now;
	}

	/**
	 * Goes on without the queue, for which there is no permission, perhaps: watching the
	 * lock will do. What is there of the claimant has to go before, or the lock would be
	 * handed to one that does not wait for that any more.
	 */
	private LockEntries withoutQueue(ConsulRefusedException ex) {
		LockKind unqueued = this.kind.unqueued();
		if (unqueued.equals(this.kind)) {
			throw ex;
		}
		Claimant me = this.claimant;
		if (this.closer && me != null) {
			this.parts.protocol().free(this.kind, this.seen, me, timeout());
			this.closer = false;
		}
		LockEntries now = this.parts.protocol().readAgain(unqueued.unseen(), timeout());
		this.kind = unqueued;
		return now;
	}

	private @Nullable Wait attempt() throws InterruptedException {
		CompletableFuture<ConsulSession> session = (this.asked != null) ? this.asked : this.place.keeper().session();
		if (!session.isDone() && this.asked == null) {
			this.asked = session;
			this.askedFor = timeout();
			return Wait.until(session, this.askedFor);
		}
		this.asked = null;
		this.tries++;
		return attempt(taken(session));
	}

	private ConsulSession taken(CompletableFuture<ConsulSession> session) throws InterruptedException {
		if (!session.isDone()) {
			throw new ConsulUnavailableException("Consul gave no session within " + this.askedFor.toMillis()
					+ " ms: the request for one has had no answer. Check spring.cloud.consul.host and port, or"
					+ " consul.lock.connection.url.");
		}
		try {
			return session.get();
		}
		catch (ExecutionException ex) {
			Throwable cause = ex.getCause();
			String message = Objects.requireNonNullElse((cause != null) ? cause.getMessage() : null, "No session");
			throw (cause instanceof ConsulRefusedException) ? new ConsulRefusedException(message, cause)
					: new ConsulUnavailableException(message, cause);
		}
	}

	private @Nullable Wait attempt(ConsulSession session) throws InterruptedException {
		Claimant before = this.claimant;
		// A new value each time: it tells since when the lock is held.
		Claimant me = (before != null && before.session() == session) ? before.withValue(this.request.value().get())
				: this.kind.claimant(session, this.request);
		this.claimant = me;
		if (me.session() != ((before != null) ? before.session() : null)) {
			see(this.seen, me);
			if (this.seen.obstacle(me) != null) {
				return null;
			}
		}
		Fence fence = this.parts.fences().of(session, timeout());
		long fenceIndex = fence.index();
		LockEntries.Step step = this.seen.approach(me);
		this.unsettled = fence;
		Attempt result;
		try {
			result = this.parts.protocol().attempt(fence, fenceIndex, step, timeout());
		}
		catch (ConsulRefusedException ex) {
			this.unsettled = null;
			this.seen = withoutQueue(ex);
			return null;
		}
		catch (ConsulUnavailableException ex) {
			this.closer |= !step.acquires();
			throw ex;
		}
		if (result instanceof Attempt.Acquired acquired) {
			acquired(me, acquired.token(), acquired.entries());
			this.unsettled = null;
			return null;
		}
		this.unsettled = null;
		if (result instanceof Attempt.Closer closer) {
			this.closer = true;
			closerSince(closer.index());
			this.parts.contention().met(this.kind);
			see(closer.entries(), me);
		}
		else if (result instanceof Attempt.Changed) {
			see(look(), me);
		}
		else if (result instanceof Attempt.InLockDelay delay) {
			LockEntries around = this.seen.avoiding(delay.keys());
			if (around != null) {
				this.seen = around;
				return null;
			}
			this.obstacle = "its last holder's session ended, and the key '" + delay.keys().get(0)
					+ "' is closed for lock-delay";
			this.closedForDelay = true;
			this.report.waiting(this.obstacle);
			return this.budget.isSpent() ? null : Wait.pause(this.budget.limit(LOCK_DELAY_POLL));
		}
		else if (result instanceof Attempt.FenceMoved) {
			if (fence.index() == fenceIndex && session.isLive()) {
				fence.move(timeout());
			}
		}
		else if (result instanceof Attempt.SessionEnded) {
			this.place.keeper().verify(session);
			return this.budget.isSpent() ? null : Wait.pause(this.budget.limit(this.backoff.next()));
		}
		return null;
	}

	private void closerSince(long index) {
		if (this.closerSince == Long.MAX_VALUE) {
			this.closerSince = index;
		}
	}

	private void see(LockEntries now, Claimant me) {
		this.seen = now;
		Obstacle found = now.obstacle(me);
		if (found != null) {
			this.obstacle = found.description();
		}
	}

	/**
	 * Learns what became of an attempt whose answer was lost: from the moment the fence
	 * has moved, no copy of it can be applied any more, so what the entries show then,
	 * stays.
	 */
	private void settle() {
		Fence fence = this.unsettled;
		Claimant me = this.claimant;
		if (fence == null || me == null) {
			return;
		}
		if (fence.session().isLive()) {
			fence.move(timeout());
			LockEntries before = this.seen;
			LockEntries now = look();
			long token = now.token(me);
			// An entry that was the session's before, left behind or claimed elsewhere,
			// and has not changed since, was not acquired by the attempt.
			if (token != 0 && fence.session().isLive() && token != before.token(me)) {
				acquired(me, token, now);
			}
			this.seen = now;
			closerSince(fence.index());
		}
		this.unsettled = null;
	}

	private void acquired(Claimant me, long token, LockEntries entries) {
		Hold.Grant grant = new Hold.Grant(me, token, entries, Turn.Chain.begin());
		this.outcome = new Acquired(this.parts.holds().admit(this.request, grant, this.place, this.budget.elapsed()));
	}

	private Duration timeout() {
		if (this.budget.isSingleAttempt()) {
			return SINGLE_ATTEMPT;
		}
		Duration remaining = this.budget.remaining();
		return (remaining.compareTo(SHORTEST_REQUEST) > 0) ? remaining : SHORTEST_REQUEST;
	}

	/**
	 * What a watch is to tell.
	 *
	 * @param key the entry that is watched
	 * @param snapshot completed with the one that was wanted
	 * @param betweenLooks how old the last look must be to look anew where none comes in
	 * time
	 */
	private record News(String key, CompletableFuture<KvSnapshot> snapshot, Duration betweenLooks) {
	}

}
