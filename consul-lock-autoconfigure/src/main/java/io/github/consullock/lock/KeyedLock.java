package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockHolder;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;

/**
 * The lock of one key. Keeps no state: what threads hold is known to {@link ThreadHolds}.
 */
final class KeyedLock implements ConsulLock {

	private final Acquirer acquirer;

	private final ThreadHolds threadHolds;

	private final LockRequest request;

	KeyedLock(Acquirer acquirer, ThreadHolds threadHolds, LockRequest request) {
		this.acquirer = acquirer;
		this.threadHolds = threadHolds;
		this.request = request;
	}

	@Override
	public String key() {
		return this.request.key();
	}

	@Override
	public List<String> keys() {
		return List.of(key());
	}

	@Override
	public LockHandle acquire() {
		return acquire(this.request);
	}

	@Override
	public LockHandle acquire(Duration waitTime) {
		return acquire(this.request.waiting(waitTime));
	}

	@Override
	public CompletableFuture<LockHandle> acquireAsync() {
		return acquireAsync(this.request.waitTime());
	}

	@Override
	public CompletableFuture<LockHandle> acquireAsync(Duration waitTime) {
		return CompletableFuture.supplyAsync(() -> acquire(waitTime));
	}

	@Override
	public Optional<LockHolder> holder() {
		throw new UnsupportedOperationException("not yet");
	}

	@Override
	public void destroy() {
		throw new UnsupportedOperationException("not yet");
	}

	private Hold acquire(LockRequest wanted) {
		try {
			Acquisition result = this.acquirer.acquire(wanted);
			if (result instanceof Acquired acquired) {
				return acquired.hold();
			}
			String reason = this.threadHolds.isHolder(key()) ? "this very thread has locked it with lock(), and a"
					+ " LockHandle is not reentrant; use either, not both" : ((InVain) result).reason();
			throw new LockNotAcquiredException(key(),
					"The lock '" + key() + "' was not to be had " + within(wanted.waitTime()) + ": " + reason);
		}
		catch (InterruptedException ex) {
			throw interrupted(ex);
		}
	}

	@Override
	public Optional<LockHandle> tryAcquire(Duration waitTime) {
		try {
			return tryAcquireInterruptibly(waitTime).map((hold) -> hold);
		}
		catch (InterruptedException ex) {
			throw interrupted(ex);
		}
	}

	private LockInterruptedException interrupted(InterruptedException cause) {
		Thread.currentThread().interrupt();
		return new LockInterruptedException("Interrupted while waiting for the lock '" + key() + "'", cause);
	}

	private Optional<Hold> tryAcquireInterruptibly(Duration waitTime) throws InterruptedException {
		if (waitTime == null) {
			throw new IllegalArgumentException("The wait time must not be null: use Duration.ZERO to try once,"
					+ " LockOptions.FOREVER to wait for ever");
		}
		if (waitTime.isNegative()) {
			throw new IllegalArgumentException("The wait time must not be negative, but is " + waitTime);
		}
		Acquisition result = this.acquirer.acquire(this.request.waiting(waitTime));
		return (result instanceof Acquired acquired) ? Optional.of(acquired.hold()) : Optional.empty();
	}

	@Override
	public void lock() {
		if (this.threadHolds.reenter(key())) {
			return;
		}
		boolean interrupted = Thread.interrupted();
		try {
			Hold hold = null;
			while (hold == null) {
				try {
					Acquisition result = this.acquirer.acquire(this.request.waiting(LockOptions.FOREVER));
					if (result instanceof InVain inVain) {
						throw new LockNotAcquiredException(key(),
								"The lock '" + key() + "' was not to be had: " + inVain.reason());
					}
					hold = ((Acquired) result).hold();
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
			}
			this.threadHolds.begin(hold);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public void lockInterruptibly() throws InterruptedException {
		boolean locked = tryLock(LockOptions.FOREVER);
		if (!locked) {
			throw new LockNotAcquiredException(key(),
					"The lock '" + key() + "' was not to be had: the registry is closed");
		}
	}

	@Override
	public boolean tryLock() {
		boolean interrupted = Thread.interrupted();
		try {
			return tryLock(Duration.ZERO);
		}
		catch (InterruptedException ex) {
			interrupted = true;
			return false;
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
		return tryLock(Duration.ofNanos(Math.max(0, unit.toNanos(time))));
	}

	private boolean tryLock(Duration waitTime) throws InterruptedException {
		if (Thread.interrupted()) {
			throw new InterruptedException();
		}
		if (this.threadHolds.reenter(key())) {
			return true;
		}
		Optional<Hold> hold = tryAcquireInterruptibly(waitTime);
		hold.ifPresent(this.threadHolds::begin);
		return hold.isPresent();
	}

	@Override
	public void unlock() {
		this.threadHolds.exit(key());
	}

	private static String within(Duration waitTime) {
		if (waitTime.isZero()) {
			return "at the first try";
		}
		return "within "
				+ ((waitTime.compareTo(Duration.ofDays(10000)) > 0) ? "any time" : waitTime.toMillis() / 1000.0 + " s");
	}

	@Override
	public String toString() {
		return "ConsulLock[" + key() + "]";
	}

}
