package io.github.consullock.lock;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockException;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;
import io.github.consullock.lock.LocalQueues.Waiter;
import io.github.consullock.lock.Turn.HandedOver;
import io.github.consullock.lock.Turn.Head;
import org.jspecify.annotations.Nullable;

/**
 * The way to a lock: first the line inside this JVM, then, at its head, Consul
 * ({@link Contender}). Whatever way it ends, the place in the line is left, or passed to
 * the hold or to the settlement of an unknown outcome.
 */
final class Acquirer {

	private static final String BEHIND_OTHERS = "held or waited for in this JVM";

	private final LockParts parts;

	private final Set<Contender> contenders = ConcurrentHashMap.newKeySet();

	/** Calls under way, from before they queue up until their hold is known. */
	private final Outstanding<WaitBudget> calls = new Outstanding<>();

	private volatile boolean closed;

	Acquirer(LockParts parts) {
		this.parts = parts;
	}

	/**
	 * Waits for a lock.
	 * @throws InterruptedException if interrupted before or while waiting; nothing is
	 * held then, and what was under way is settled in the background
	 * @throws io.github.consullock.LockException if Consul refuses, did not answer within
	 * the wait time, or the key is no lock
	 */
	Acquisition acquire(LockRequest request) throws InterruptedException {
		if (Thread.interrupted()) {
			throw new InterruptedException();
		}
		WaitBudget budget = WaitBudget.startingNow(request.waitTime());
		WaitReport report = new WaitReport(request, budget, this.parts);
		boolean acquired = false;
		this.calls.begin(budget);
		try {
			do {
				Acquisition result = takeTurn(request, budget, report);
				if (!(result instanceof Acquired won)) {
					return result;
				}
				// A close that begins after this check finds the hold, and ends it.
				if (!this.closed && won.hold().isHeld()) {
					acquired = true;
					return result;
				}
				// Lost between the server's answer and now: try again, if there is time.
				won.hold().close();
			}
			while (!budget.isSpent());
			return new InVain(this.closed ? "the registry is closed" : "the session was lost while it was acquired");
		}
		finally {
			this.calls.end(budget);
			if (!acquired) {
				this.parts.listeners().tell((listener) -> listener.notAcquired(request.key(), budget.elapsed()));
			}
		}
	}

	private Acquisition takeTurn(LockRequest request, WaitBudget budget, WaitReport report)
			throws InterruptedException {
		String key = request.key();
		LocalQueues queues = this.parts.queues();
		Waiter waiter = new Waiter(request.value());
		queues.enter(key, waiter);
		if (this.closed) {
			queues.withdraw(key, waiter);
		}
		Turn turn = awaitTurn(request, waiter, budget, report);
		if (turn == null) {
			return inVainBehindAnother(key);
		}
		if (turn instanceof HandedOver handedOver) {
			return new Acquired(admit(request, handedOver, budget));
		}
		Contender contender = new Contender(this.parts, request, budget, report);
		this.contenders.add(contender);
		try {
			if (this.closed) {
				contender.cancel();
			}
			return contender.run(((Head) turn).yielding());
		}
		catch (ConsulUnavailableException ex) {
			throw new ConsulUnavailableException(notAcquired(key, ex), ex);
		}
		catch (ConsulRefusedException ex) {
			throw new ConsulRefusedException(notAcquired(key, ex), ex);
		}
		finally {
			this.contenders.remove(contender);
		}
	}

	private static String notAcquired(String key, LockException ex) {
		return "The lock '" + key + "' was not acquired: " + ex.getMessage();
	}

	private Hold admit(LockRequest request, HandedOver turn, WaitBudget budget) {
		return this.parts.holds().admit(request, turn.session(), turn.token(), turn.chain(), budget.elapsed());
	}

	/** Null when the time is up, or the registry is being closed. */
	private @Nullable Turn awaitTurn(LockRequest request, Waiter waiter, WaitBudget budget, WaitReport report)
			throws InterruptedException {
		String key = request.key();
		try {
			if (!waiter.turn().isDone() && !budget.isSingleAttempt()) {
				report.waiting(BEHIND_OTHERS);
			}
			Duration patience = budget.limit(this.parts.slowThreshold());
			try {
				return waiter.turn().get(patience.toNanos(), TimeUnit.NANOSECONDS);
			}
			catch (TimeoutException ex) {
				if (!budget.isSpent()) {
					report.waiting(BEHIND_OTHERS);
				}
				return waiter.turn().get(budget.remaining().toNanos(), TimeUnit.NANOSECONDS);
			}
		}
		catch (TimeoutException ex) {
			return this.parts.queues().withdraw(key, waiter) ? null : waiter.turn().join();
		}
		catch (CancellationException ex) {
			return null;
		}
		catch (ExecutionException ex) {
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException | RuntimeException | Error ex) {
			if (!this.parts.queues().withdraw(key, waiter)) {
				decline(request, waiter.turn().join(), budget);
			}
			throw ex;
		}
	}

	/** The turn came just as the waiter left. */
	private void decline(LockRequest request, Turn turn, WaitBudget budget) {
		if (turn instanceof HandedOver handedOver) {
			Hold hold = admit(request, handedOver, budget);
			this.parts.background().execute(hold::close);
		}
		else {
			this.parts.queues().leave(request.key(), false);
		}
	}

	private Acquisition inVainBehindAnother(String key) {
		if (this.closed) {
			return new InVain("the registry is closed");
		}
		LockException trouble = this.parts.queues().trouble(key);
		if (trouble instanceof ConsulUnavailableException) {
			throw new ConsulUnavailableException(
					"Waited for the lock '" + key + "' in vain, since Consul does not answer: " + trouble.getMessage(),
					trouble);
		}
		if (trouble != null) {
			throw new ConsulRefusedException(
					"Waited for the lock '" + key + "' in vain, since Consul refuses: " + trouble.getMessage(),
					trouble);
		}
		if (CurrentLockHandle.find((handle) -> handle.key().equals(key) && handle.isHeld()).isPresent()) {
			return new InVain("this very thread holds it, and a LockHandle is not reentrant");
		}
		return new InVain(BEHIND_OTHERS + ", perhaps by this very thread: a LockHandle is not reentrant");
	}

	/**
	 * From now on nothing is acquired; waits under way end in vain. Calls under way are
	 * waited for, for a while: what they acquire is released then.
	 */
	void close(Duration grace) {
		this.closed = true;
		this.parts.queues().cancelAll();
		this.contenders.forEach(Contender::cancel);
		this.calls.awaitNone(grace);
	}

}
