package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.LogText;
import org.jspecify.annotations.Nullable;

/**
 * The registry: finds the engine that a lock is for, and closes them all.
 */
final class DefaultLockRegistry implements ConsulLockRegistry {

	private final ConsulLockRegistryBuilder settings;

	private final HolderDescription holder;

	private final Background background = new Background();

	/** Of locks whose options ask for nothing else. */
	private final EngineSpec usual;

	private final Engines engines;

	private final ThreadHolds threadHolds = new ThreadHolds();

	/** Held while closing: a second close ends no sooner than the first. */
	private final ReentrantLock closing = new ReentrantLock();

	private boolean closed;

	DefaultLockRegistry(ConsulLockRegistryBuilder settings) {
		this.settings = settings;
		this.holder = new HolderDescription(settings.instanceName);
		this.usual = new EngineSpec(ConsulScope.DEFAULT, settings.session, null);
		this.engines = new Engines(settings, this.background, this.usual, Engines.IDLE);
	}

	@Override
	public ConsulLock obtain(LockOptions options) {
		EngineSpec spec = EngineSpec.of(options, this.usual);
		return new KeyedLock(this.engines, spec, clientAt(spec.scope()),
				request(options, KeyLock.of(this.settings.keyPrefix, options.keys())), this.threadHolds);
	}

	private ConsulClient clientAt(ConsulScope scope) {
		return scope.equals(ConsulScope.DEFAULT) ? this.settings.client : this.settings.client.at(scope);
	}

	private LockRequest request(LockOptions options, LockKind kind) {
		String value = options.value();
		return new LockRequest(kind, (value != null) ? () -> value : this.holder::now,
				Objects.requireNonNullElse(options.deleteOnRelease(), this.settings.deleteOnRelease),
				Objects.requireNonNullElse(options.waitTime(), this.settings.waitTime),
				Objects.requireNonNullElse(options.fair(), this.settings.fair),
				Objects.requireNonNullElse(options.holdAtLeast(), Duration.ZERO), options.maxHold());
	}

	@Override
	public ConsulSemaphore semaphore(LockOptions options, int limit) {
		if (limit < 1) {
			throw new IllegalArgumentException(
					"The limit of the semaphore '" + options.key() + "' must be at least 1, but is " + limit);
		}
		if (options.keys().size() > 1) {
			throw new IllegalArgumentException("A semaphore has one key, but these are " + options.keys());
		}
		if (options.session() != null) {
			throw new IllegalArgumentException("The semaphore '" + options.key() + "' cannot be held by the session "
					+ LogText.withoutIds(options.session())
					+ " of the caller's own: each of its permits has a session to itself");
		}
		EngineSpec spec = EngineSpec.of(options, this.usual);
		return new KeyedSemaphore(this.engines, spec, clientAt(spec.scope()),
				request(options, SemaphoreLock.of(this.settings.keyPrefix, options.key(), limit)), limit);
	}

	@Override
	public ConsulReadWriteLock readWriteLock(LockOptions options) {
		if (options.keys().size() > 1) {
			throw new IllegalArgumentException("A read-write lock has one key, not several: " + options.keys());
		}
		EngineSpec spec = EngineSpec.of(options, this.usual);
		LockRequest reading = request(options,
				ReadWriteSide.of(this.settings.keyPrefix, options.key(), ReadWriteState.Mode.READ));
		LockRequest writing = request(options,
				ReadWriteSide.of(this.settings.keyPrefix, options.key(), ReadWriteState.Mode.WRITE));
		return new KeyedReadWriteLock(this.engines, spec, clientAt(spec.scope()), reading, writing, this.threadHolds);
	}

	@Override
	public List<LockHandle> heldLocks() {
		return this.engines.present()
			.flatMap((engine) -> engine.holds().stream())
			.filter(Hold::isHeld)
			.map((hold) -> (LockHandle) hold)
			.toList();
	}

	@Override
	@SuppressWarnings("try") // The scope is closed, not used.
	public <T> T executeLocked(String key, Duration waitTime, Callable<T> task) throws Exception {
		Hold hold = (Hold) obtain(LockOptions.builder(key).waitTime(waitTime).build()).acquire();
		T result;
		try (CurrentLockHandle.Scope scope = CurrentLockHandle.open(hold)) {
			result = task.call();
		}
		catch (Throwable ex) {
			endOfTask(hold, ex);
			throw ex;
		}
		endOfTask(hold, null);
		return result;
	}

	private static void endOfTask(Hold hold, @Nullable Throwable failure) {
		if (!hold.release()) {
			throw new LockLostException(hold.key(), hold.fencingToken(),
					hold.lostReason().orElse(LockLostReason.SESSION_INVALIDATED), failure);
		}
	}

	@Override
	public void close() {
		this.closing.lock();
		try {
			if (!this.closed) {
				this.closed = true;
				closeNow();
			}
		}
		finally {
			this.closing.unlock();
		}
	}

	private void closeNow() {
		// An interrupt must not keep the sessions from being destroyed.
		boolean interrupted = Thread.interrupted();
		try {
			interrupted |= this.engines.close(this.settings.shutdownTimeout);
			this.background.close();
		}
		finally {
			// Set if this is a thread of the background, as in a callback.
			Thread.interrupted();
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	/** How many keys anything is kept of. */
	int trackedKeys() {
		return this.engines.present().mapToInt(LockEngine::trackedKeys).sum();
	}

}
