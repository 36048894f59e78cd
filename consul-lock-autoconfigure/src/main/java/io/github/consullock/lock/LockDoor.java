package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.LockHolder;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.Acquisition.Acquired;
import io.github.consullock.lock.Acquisition.InVain;

import org.springframework.util.StringUtils;

/**
 * What an obtained lock of any kind does: finds its engine when it is used, and turns
 * what comes of it into results and exceptions. Keeps no state.
 */
class LockDoor implements Acquirable {

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final Engines engines;

	private final EngineSpec spec;

	private final ConsulClient client;

	private final LockRequest request;

	/**
	 * Creates the door to a lock.
	 * @param spec of the engine that acquires it
	 * @param client the way to where it is
	 */
	LockDoor(Engines engines, EngineSpec spec, ConsulClient client, LockRequest request) {
		this.engines = engines;
		this.spec = spec;
		this.client = client;
		this.request = request;
	}

	LockRequest request() {
		return this.request;
	}

	LockKind kind() {
		return this.request.kind();
	}

	@Override
	public String key() {
		return this.request.key();
	}

	@Override
	public LockHandle acquire() {
		return acquireOrThrow(this.request);
	}

	@Override
	public LockHandle acquire(Duration waitTime) {
		return acquireOrThrow(this.request.waiting(checked(waitTime)));
	}

	private LockHandle acquireOrThrow(LockRequest wanted) {
		try {
			Acquisition result = acquire(wanted);
			if (result instanceof Acquired acquired) {
				return acquired.hold();
			}
			throw notAcquired(wanted, (InVain) result);
		}
		catch (InterruptedException ex) {
			throw interrupted(ex);
		}
	}

	@Override
	public Optional<LockHandle> tryAcquire(Duration waitTime) {
		try {
			Acquisition result = acquire(this.request.waiting(checked(waitTime)));
			return (result instanceof Acquired acquired) ? Optional.of(acquired.hold()) : Optional.empty();
		}
		catch (InterruptedException ex) {
			throw interrupted(ex);
		}
	}

	LockInterruptedException interrupted(InterruptedException cause) {
		Thread.currentThread().interrupt();
		return new LockInterruptedException("Interrupted while waiting for " + kind().description(), cause);
	}

	@Override
	public CompletableFuture<LockHandle> acquireAsync() {
		return acquireAsync(this.request);
	}

	@Override
	public CompletableFuture<LockHandle> acquireAsync(Duration waitTime) {
		return acquireAsync(this.request.waiting(checked(waitTime)));
	}

	private CompletableFuture<LockHandle> acquireAsync(LockRequest wanted) {
		return this.engines.use(this.spec,
				(engine) -> engine.acquireAsync(wanted, (inVain) -> notAcquired(wanted, inVain)));
	}

	Acquisition acquire(LockRequest wanted) throws InterruptedException {
		return this.engines.use(this.spec, (engine) -> engine.acquire(wanted));
	}

	/** The exception that says why the lock was not to be had. */
	LockNotAcquiredException notAcquired(LockRequest wanted, InVain inVain) {
		return new LockNotAcquiredException(key(), StringUtils.capitalize(kind().description()) + " was not to be had "
				+ within(wanted.waitTime()) + ": " + inVain.reason());
	}

	private static String within(Duration waitTime) {
		if (waitTime.isZero()) {
			return "at the first try";
		}
		return "within "
				+ ((waitTime.compareTo(Duration.ofDays(10000)) > 0) ? "any time" : waitTime.toMillis() / 1000.0 + " s");
	}

	static Duration checked(Duration waitTime) {
		if (waitTime == null) {
			throw new IllegalArgumentException("The wait time must not be null: use Duration.ZERO to try once,"
					+ " LockOptions.FOREVER to wait for ever");
		}
		if (waitTime.isNegative()) {
			throw new IllegalArgumentException("The wait time must not be negative, but is " + waitTime);
		}
		return waitTime;
	}

	LockEntries read() {
		return kind().read(this.client, TIMEOUT);
	}

	List<LockHolder> readHolders() {
		return read().holders().stream().map(HolderDescription::read).toList();
	}

	/** Removes the entries of the lock, which nobody holds. */
	public void destroy() {
		new LockProtocol(this.client).destroy(kind(), TIMEOUT);
	}

	@Override
	public String toString() {
		return StringUtils.capitalize(kind().description());
	}

}
