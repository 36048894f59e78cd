package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHolder;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;

/**
 * A lock of one key or several. What threads hold of it is known to {@link ThreadHolds}.
 */
class KeyedLock extends LockDoor implements ConsulLock {

	private final ThreadHolds threadHolds;

	private final Object identity;

	/**
	 * Creates a lock.
	 * @param threadHolds what threads hold, of all locks of the registry
	 */
	KeyedLock(Engines engines, EngineSpec spec, ConsulClient client, LockRequest request, ThreadHolds threadHolds) {
		super(engines, spec, client, request);
		this.threadHolds = threadHolds;
		this.identity = List.of(spec.scope(), request.kind());
	}

	@Override
	public List<String> keys() {
		return kind().keys();
	}

	@Override
	public Optional<LockHolder> holder() {
		return readHolders().stream().findFirst();
	}

	@Override
	LockNotAcquiredException notAcquired(LockRequest wanted, InVain inVain) {
		boolean own = this.threadHolds.isHolder(this.identity);
		return super.notAcquired(wanted, own ? new InVain("this very thread has locked it with lock(), and a LockHandle"
				+ " is not reentrant; use either, not both") : inVain);
	}

	@Override
	public void lock() {
		if (this.threadHolds.reenter(this.identity)) {
			return;
		}
		boolean interrupted = Thread.interrupted();
		try {
			Hold hold = null;
			while (hold == null) {
				try {
					hold = acquireForEver();
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
			}
			this.threadHolds.begin(this.identity, hold);
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	@Override
	public void lockInterruptibly() throws InterruptedException {
		if (Thread.interrupted()) {
			throw new InterruptedException();
		}
		if (!this.threadHolds.reenter(this.identity)) {
			this.threadHolds.begin(this.identity, acquireForEver());
		}
	}

	private Hold acquireForEver() throws InterruptedException {
		LockRequest wanted = request().waiting(LockOptions.FOREVER);
		Acquisition result = acquire(wanted);
		if (result instanceof InVain inVain) {
			throw super.notAcquired(wanted, inVain);
		}
		return ((Acquired) result).hold();
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
		if (this.threadHolds.reenter(this.identity)) {
			return true;
		}
		if (acquire(request().waiting(waitTime)) instanceof Acquired acquired) {
			this.threadHolds.begin(this.identity, acquired.hold());
			return true;
		}
		return false;
	}

	@Override
	public void unlock() {
		this.threadHolds.exit(this.identity, this);
	}

}
