package io.github.consullock.lock;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.session.ConsulSession;
import io.github.consullock.session.SessionKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.util.function.SingletonSupplier;

/**
 * A registry whose locks are all held by one session.
 */
final class SessionLockRegistry implements ConsulLockRegistry {

	private static final Logger logger = LoggerFactory.getLogger(SessionLockRegistry.class);

	/**
	 * How long calls under way, cancelled holders, and what has to be settled may each
	 * take to end, before their locks are left to lock-delay.
	 */
	private static final Duration CANCEL_GRACE = Duration.ofSeconds(2);

	private final ConsulLockRegistryBuilder settings;

	/** Found out when first needed: the name of the host may have to be looked up. */
	private final Supplier<String> holder;

	private final Background background = new Background();

	private final LocalQueues queues = new LocalQueues();

	private final KeyWatches watches;

	private final Holds holds;

	private final Settlement settlement;

	private final SessionKeeper keeper;

	private final Fences fences;

	private final Acquirer acquirer;

	private final ThreadHolds threadHolds = new ThreadHolds();

	/** Held while closing: a second close ends no sooner than the first. */
	private final ReentrantLock closing = new ReentrantLock();

	private boolean closed;

	SessionLockRegistry(ConsulLockRegistryBuilder settings) {
		this.settings = settings;
		this.holder = SingletonSupplier.of(() -> describeHolder(settings.instanceName));
		LockProtocol protocol = new LockProtocol(settings.client);
		Listeners listeners = new Listeners(settings.listeners);
		this.settlement = new Settlement(protocol, this.queues, this.background);
		this.watches = new KeyWatches(settings.client, this.background, settings.maxWatches);
		HoldMonitor monitor = new HoldMonitor(settings.client, this.watches, this.background);
		this.holds = new Holds(protocol, this.queues, this.settlement, monitor, this.background, listeners);
		this.keeper = new SessionKeeper(settings.client, settings.session, this::sessionLost);
		this.fences = new Fences(settings.client, settings.keyPrefix, this.background, this.keeper::verify);
		this.acquirer = new Acquirer(new LockParts(protocol, this.keeper, this.fences, this.queues, this.watches,
				this.holds, this.settlement, this.background, listeners, settings.slowThreshold));
	}

	private void sessionLost(ConsulSession session, LockLostReason reason) {
		this.holds.lose(session, reason);
		this.fences.ended(session);
	}

	@Override
	public ConsulLock obtain(LockOptions options) {
		LockRequest request = new LockRequest(this.settings.keyPrefix + options.key(),
				Objects.requireNonNullElseGet(options.value(), this.holder),
				Objects.requireNonNullElse(options.waitTime(), this.settings.waitTime),
				Objects.requireNonNullElse(options.deleteOnRelease(), this.settings.deleteOnRelease));
		return new KeyedLock(this.acquirer, this.threadHolds, request);
	}

	@Override
	public ConsulSemaphore semaphore(LockOptions options, int limit) {
		throw new UnsupportedOperationException("not yet");
	}

	@Override
	public ConsulReadWriteLock readWriteLock(LockOptions options) {
		throw new UnsupportedOperationException("not yet");
	}

	@Override
	public List<LockHandle> heldLocks() {
		return this.holds.present().stream().filter(Hold::isHeld).map((hold) -> (LockHandle) hold).toList();
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
		// An interrupt must not keep the session from being destroyed.
		boolean interrupted = Thread.interrupted();
		try {
			this.acquirer.close(CANCEL_GRACE);
			this.holds.closing();
			if (!this.holds.present().isEmpty()) {
				logger.info("Waiting up to {} s for {} locks to be released", this.settings.shutdownTimeout.toSeconds(),
						this.holds.present().size());
			}
			this.holds.awaitEnd(this.settings.shutdownTimeout);
			interrupted |= Thread.interrupted();
			this.holds.present().forEach((hold) -> this.holds.lose(hold, LockLostReason.SHUTDOWN));
			this.holds.awaitEnd(CANCEL_GRACE);
			interrupted |= Thread.interrupted();
			this.settlement.awaitAll(CANCEL_GRACE);
			interrupted |= Thread.interrupted();
			this.watches.close();
			this.keeper.close();
			interrupted |= Thread.interrupted();
			this.fences.close();
			interrupted |= Thread.interrupted();
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
		return this.queues.size() + this.watches.size();
	}

	private static String describeHolder(String instanceName) {
		return JsonMapper.shared()
			.writeValueAsString(new Holder(instanceName, hostName(), ProcessHandle.current().pid()));
	}

	private static String hostName() {
		try {
			return InetAddress.getLocalHost().getHostName();
		}
		catch (UnknownHostException ex) {
			return "unknown";
		}
	}

	/**
	 * What a lock's entry says of its holder.
	 *
	 * @param instance the registry's instance name
	 * @param host the name of the machine
	 * @param pid the process id
	 */
	record Holder(String instance, String host, long pid) {
	}

}
