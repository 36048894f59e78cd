package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockException;
import io.github.consullock.LockOptions;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;
import io.github.consullock.lock.LocalQueues.Waiter;
import io.github.consullock.lock.Turn.HandedOver;
import io.github.consullock.lock.Turn.Head;
import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

/**
 * One call's way to a lock: first through the lines inside this JVM, then, at the head of
 * them all, to Consul ({@link Contender}). It goes on in steps, each up to where there is
 * something to wait for, so that a call can wait with or without a thread. Whatever way
 * it ends, its place is left, or passed to the hold or to the settlement of an unknown
 * outcome. For use by one thread at a time; {@link #cancel()} and {@link #wake()} may
 * come from any.
 */
final class AcquireCall {

	/**
	 * QUEUEING while it has not come to the head of all lines, CONTENDING from then on,
	 * QUEUEING once more if what it acquired was lost at once, OVER when there is a
	 * result or the caller has left.
	 */
	private enum State {

		QUEUEING, CONTENDING, OVER

	}

	/** How long an attempt that shall not wait is kept up by others of its kind. */
	private static final Duration BEHIND_ATTEMPTS = Duration.ofSeconds(2);

	/** A settlement is over in about as much, mostly. */
	private static final Duration SETTLEMENT_PAUSE = Duration.ofMillis(5);

	private static final String BEHIND_OTHERS = "held or waited for in this JVM";

	private final LockParts parts;

	private final LockRequest request;

	private final WaitBudget budget;

	private final WaitReport report;

	/** Whether it goes by those who wait: it only tries, where several may hold. */
	private final boolean passing;

	private final List<String> lines;

	/** How long it waits in line. */
	private final WaitBudget queueing;

	/** The same, behind nobody but what somebody has left, which soon ends. */
	private final WaitBudget behindSettlement;

	private State state = State.QUEUEING;

	/** What it occupies; replaced when it has to begin anew. */
	private Place place;

	/** How many lines it is at the head of. */
	private int linesOwned;

	/** In the next line, while it queues up there. */
	private @Nullable Waiter waiter;

	/** Whether it was said that the wait in line takes long. */
	private boolean patient;

	private volatile @Nullable Contender contender;

	private volatile @Nullable Wait current;

	private volatile boolean cancelled;

	private @Nullable Acquisition result;

	AcquireCall(LockParts parts, LockRequest request) {
		this.parts = parts;
		this.request = request;
		this.budget = WaitBudget.startingNow(request.waitTime());
		this.report = new WaitReport(request, this.budget, parts);
		// Whoever waits at the head of a line is no reason for one that only tries, where
		// others of this JVM may hold the lock as well.
		this.passing = this.budget.isSingleAttempt() && !request.kind().isExclusive();
		this.lines = this.passing ? request.kind().lines().stream().map((line) -> line + "?").toList()
				: request.kind().lines();
		this.queueing = this.passing ? WaitBudget.startingNow(BEHIND_ATTEMPTS) : this.budget;
		this.behindSettlement = this.budget.isSingleAttempt() ? WaitBudget.startingNow(BEHIND_ATTEMPTS) : this.queueing;
		this.place = newPlace();
	}

	private Place newPlace() {
		return new Place(this.request.kind(), this.parts.queues(), this.parts.sessions());
	}

	/** Queues up in the first line, which decides who comes first. */
	void enter() {
		enter(this.lines.get(0));
	}

	private Waiter enter(String line) {
		Waiter entered = new Waiter(this.request);
		this.waiter = entered;
		this.parts.queues().enter(line, entered);
		if (this.cancelled) {
			this.parts.queues().withdraw(line, entered);
		}
		return entered;
	}

	/**
	 * Goes on as far as it can without waiting.
	 * @return what to wait for, or {@code null} if there is a result
	 * @throws InterruptedException if interrupted in a request
	 * @throws LockException if Consul refuses, did not answer within the wait time, or
	 * the key is no such lock
	 */
	@Nullable Wait advance() throws InterruptedException {
		this.current = null;
		while (this.state != State.OVER) {
			Wait wait = (this.state == State.QUEUEING) ? queueUp() : contend();
			if (wait != null) {
				this.current = wait;
				return wait;
			}
		}
		return null;
	}

	/** What came of it, once there is nothing to wait for. */
	Acquisition result() {
		return Objects.requireNonNull(this.result);
	}

	/** Ends it in vain, since the registry is closed. */
	void cancel() {
		this.cancelled = true;
		Contender contending = this.contender;
		if (contending != null) {
			contending.cancel();
		}
	}

	/** Ends the present wait, if it is in one. */
	void wake() {
		Wait wait = this.current;
		if (wait != null) {
			wait.wake();
		}
	}

	/**
	 * Leaves nothing behind: neither a place nor a lock, unless it has acquired one.
	 */
	void end() {
		if (!(this.result instanceof Acquired)) {
			this.parts.listeners().tell((listener) -> listener.notAcquired(this.request.key(), this.budget.elapsed()));
		}
		if (this.state == State.QUEUEING) {
			leaveLines();
		}
		else if (this.state == State.CONTENDING) {
			endContending();
		}
		this.state = State.OVER;
	}

	private void over(Acquisition outcome) {
		this.result = outcome;
		this.state = State.OVER;
	}

	private @Nullable Wait queueUp() {
		if (this.passing && isOneSettling() && !this.behindSettlement.isSpent()) {
			// What there is may just have been given to one that has left.
			return Wait.pause(this.behindSettlement.limit(SETTLEMENT_PAUSE));
		}
		String line = this.lines.get(this.linesOwned);
		Waiter queued = (this.waiter != null) ? this.waiter : enter(line);
		CompletableFuture<Turn> turn = queued.turn();
		if (!turn.isDone()) {
			WaitBudget inLine = this.parts.queues().isSettling(line) ? this.behindSettlement : this.queueing;
			if (!inLine.isSpent()) {
				this.report.waiting(BEHIND_OTHERS);
				// Once more after a while, to say that it takes long.
				Duration patience = this.patient ? LockOptions.FOREVER : this.parts.slowThreshold();
				this.patient = true;
				return Wait.until(turn, inLine.limit(patience));
			}
			this.parts.queues().withdraw(line, queued);
		}
		this.waiter = null;
		if (turn.isCancelled()) {
			over(inVainBehindAnother(line));
			leaveLines();
			return null;
		}
		take(turn.join(), line);
		return null;
	}

	private boolean isOneSettling() {
		return this.request.kind().lines().stream().anyMatch(this.parts.queues()::isSettling);
	}

	private void take(Turn turn, String line) {
		this.place.own(line);
		this.linesOwned++;
		if (turn instanceof HandedOver handedOver) {
			admitted(new Acquired(admit(handedOver)));
		}
		else if (this.linesOwned == this.lines.size()) {
			Contender next = new Contender(this.parts, this.request, this.place, this.budget, this.report,
					((Head) turn).yielding());
			this.contender = next;
			this.state = State.CONTENDING;
			if (this.cancelled) {
				next.cancel();
			}
		}
	}

	private Hold admit(HandedOver turn) {
		return this.parts.holds().admit(this.request, turn.grant(), this.place, this.budget.elapsed());
	}

	private @Nullable Wait contend() throws InterruptedException {
		Contender contending = Objects.requireNonNull(this.contender);
		Wait wait = explaining(() -> contending.advance());
		if (wait == null) {
			endContending();
			admitted(contending.outcome());
		}
		return wait;
	}

	private @Nullable Wait explaining(Advance advance) throws InterruptedException {
		try {
			return advance.go();
		}
		catch (ConsulUnavailableException ex) {
			throw new ConsulUnavailableException(notAcquired(ex), ex);
		}
		catch (ConsulRefusedException ex) {
			throw new ConsulRefusedException(notAcquired(ex), ex);
		}
	}

	private String notAcquired(LockException ex) {
		return StringUtils.capitalize(this.request.kind().description()) + " was not acquired: " + ex.getMessage();
	}

	private void endContending() {
		Contender contending = this.contender;
		this.contender = null;
		if (contending != null) {
			contending.end();
		}
	}

	/** What was acquired may be lost already, or too late for a registry being closed. */
	private void admitted(Acquisition outcome) {
		// A close that begins after this check finds the hold, and ends it.
		if (!(outcome instanceof Acquired acquired) || (!this.cancelled && acquired.hold().isHeld())) {
			over(outcome);
			return;
		}
		acquired.hold().discard();
		if (this.budget.isSpent() || this.cancelled) {
			over(new InVain(this.cancelled ? "the registry is closed" : "the session was lost while it was acquired"));
			return;
		}
		this.place = newPlace();
		this.linesOwned = 0;
		this.state = State.QUEUEING;
	}

	private void leaveLines() {
		Waiter queued = this.waiter;
		this.waiter = null;
		String line = this.lines.get(Math.min(this.linesOwned, this.lines.size() - 1));
		if (queued != null && !this.parts.queues().withdraw(line, queued)) {
			decline(queued.turn().join(), line);
		}
		else {
			this.place.leave(false);
		}
	}

	/** The turn came just as the waiter left. */
	private void decline(Turn turn, String line) {
		this.place.own(line);
		if (turn instanceof HandedOver handedOver) {
			Hold hold = admit(handedOver);
			this.parts.background().execute(hold::discard);
		}
		else {
			this.place.leave(false);
		}
	}

	private Acquisition inVainBehindAnother(String line) {
		if (this.cancelled) {
			return new InVain("the registry is closed");
		}
		LockException trouble = this.parts.queues().trouble(line);
		String inVain = "Waited for " + this.request.kind().description() + " in vain, since Consul ";
		if (trouble instanceof ConsulUnavailableException) {
			throw new ConsulUnavailableException(inVain + "does not answer: " + trouble.getMessage(), trouble);
		}
		if (trouble != null) {
			throw new ConsulRefusedException(inVain + "refuses: " + trouble.getMessage(), trouble);
		}
		if (!this.request.kind().isExclusive()) {
			return new InVain("others of this JVM wait for it, too, and came before");
		}
		if (CurrentLockHandle.find((handle) -> handle.keys().contains(line) && handle.isHeld()).isPresent()) {
			return new InVain("this very thread holds it, and a LockHandle is not reentrant");
		}
		return new InVain(BEHIND_OTHERS + ", perhaps by this very thread: a LockHandle is not reentrant");
	}

	@FunctionalInterface
	private interface Advance {

		@Nullable Wait go() throws InterruptedException;

	}

}
