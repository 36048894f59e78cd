package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;

/**
 * A {@link ConsulClient} without a Consul: sessions and entries live in this JVM, and
 * exclude nobody outside it. For tests and laptops. It behaves as Consul does: sessions
 * end at twice their TTL, lock-delay closes keys, transactions tell of every failed
 * operation, watches wake.
 *
 * @since 0.1.0
 */
public final class InMemoryConsulClient implements ConsulClient {

	private static final int MAX_OPERATIONS = 64;

	private static final Duration MIN_TTL = Duration.ofSeconds(10);

	private static final Duration MAX_TTL = Duration.ofHours(24);

	/**
	 * How often a watch looks at a clock that is not the system's, which may jump.
	 */
	private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

	private final Shared shared;

	private final ConsulScope scope;

	private final InMemoryStore store;

	/** Common to a client and those made of it by {@link #at}. */
	private final AtomicBoolean closed;

	private final boolean owner;

	/**
	 * Creates a client of a new, empty, in-memory Consul.
	 */
	public InMemoryConsulClient() {
		this(new Shared(System::nanoTime, Long.MAX_VALUE), ConsulScope.DEFAULT);
	}

	/**
	 * Creates a client of a new, empty, in-memory Consul whose sessions and lock-delays
	 * go by a clock of the caller. How long a watch waits goes by the system's clock.
	 * @param nanos a monotonic clock in nanoseconds, like {@link System#nanoTime()};
	 * called by several threads, one at a time
	 */
	public InMemoryConsulClient(LongSupplier nanos) {
		this(new Shared(nanos, LOOK_NANOS), ConsulScope.DEFAULT);
	}

	private InMemoryConsulClient(Shared shared, ConsulScope scope) {
		this.shared = shared;
		this.scope = scope;
		this.store = shared.store(scope);
		this.closed = new AtomicBoolean();
		this.owner = true;
	}

	private InMemoryConsulClient(InMemoryConsulClient origin, ConsulScope scope) {
		this.shared = origin.shared;
		this.scope = scope;
		this.store = origin.shared.store(scope);
		this.closed = origin.closed;
		this.owner = false;
	}

	/**
	 * Creates another client of the same in-memory Consul, as another application would
	 * have it.
	 * @return the client, closed by itself
	 */
	public InMemoryConsulClient newClient() {
		return new InMemoryConsulClient(this.shared, this.scope);
	}

	@Override
	public String createSession(SessionRequest request) {
		Duration ttl = request.ttl();
		if (!ttl.isZero() && (ttl.compareTo(MIN_TTL) < 0 || ttl.compareTo(MAX_TTL) > 0)) {
			throw new ConsulRefusedException(
					"Invalid Session TTL: " + ttl + ". Consul accepts 10s to 24h: change consul.lock.session.ttl.");
		}
		refuseUnknownCheck(request.nodeChecks().stream().filter((id) -> !"serfHealth".equals(id)).findFirst());
		refuseUnknownCheck(request.serviceChecks().stream().findFirst());
		return call("creating a session", () -> this.store.createSession(request));
	}

	private static void refuseUnknownCheck(Optional<String> check) {
		check.ifPresent((id) -> {
			throw new ConsulRefusedException("Missing check '" + id + "' registration: an in-memory Consul has none. "
					+ "Change consul.lock.session.node-checks, service-checks or bind-to-service.");
		});
	}

	@Override
	public RenewalOutcome renewSession(String sessionId) {
		return call("renewing a session", () -> this.store.renewSession(sessionId));
	}

	@Override
	public void destroySession(String sessionId) {
		call("destroying a session", () -> this.store.endSession(sessionId));
	}

	@Override
	public SessionSnapshot watchSession(String sessionId, long index, Duration wait) {
		return watch("watching a session", index, wait, () -> this.store.isSessionNews(sessionId, index),
				() -> this.store.session(sessionId));
	}

	@Override
	public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
		return call("reading a session", () -> this.store.sessionInfo(sessionId));
	}

	@Override
	public Optional<KvEntry> read(String key, Duration timeout) {
		refuseUnreachable(key);
		return call("reading '" + key + "'", () -> Optional.ofNullable(this.store.entry(key).entry()));
	}

	@Override
	public List<KvEntry> list(String prefix) {
		refuseUnreachable(prefix);
		return call("listing '" + prefix + "'", () -> this.store.list(prefix));
	}

	@Override
	public List<KvEntry> watchTree(String prefix, long index, Duration wait) {
		refuseUnreachable(prefix);
		return watch("watching what is below '" + prefix + "'", index, wait, () -> this.store.isTreeNews(prefix, index),
				() -> this.store.list(prefix));
	}

	@Override
	public KvSnapshot watch(String key, long index, Duration wait) {
		refuseUnreachable(key);
		return watch("watching '" + key + "'", index, wait, () -> this.store.isEntryNews(key, index),
				() -> this.store.entry(key));
	}

	/**
	 * Consul answers with a redirect to another key.
	 */
	private static void refuseUnreachable(String key) {
		String path = "/" + key;
		if (path.contains("//") || (path + "/").contains("/./") || (path + "/").contains("/../")) {
			throw new ConsulRefusedException("'" + key + "' would be answered 301 by Consul: a key must neither begin "
					+ "with / nor contain an empty, . or .. segment.");
		}
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		if (operations.size() > MAX_OPERATIONS) {
			throw new TransactionTooLargeException(
					"A transaction was answered 413: Transaction contains too many operations (" + operations.size()
							+ " > " + MAX_OPERATIONS + "). Lock fewer keys at once.",
					MAX_OPERATIONS);
		}
		if (operations.stream().anyMatch((operation) -> operation.key().isEmpty())) {
			throw new ConsulRefusedException("A transaction was refused: an operation has an empty key.");
		}
		return call("a transaction", () -> new InMemoryTransaction(this.store).run(operations));
	}

	/**
	 * A client of the entries and sessions that this scope has in the same in-memory
	 * Consul. There is every datacenter, namespace and partition; each, and none named,
	 * has its own.
	 */
	@Override
	public ConsulClient at(ConsulScope scope) {
		return new InMemoryConsulClient(this, scope.within(this.scope));
	}

	/**
	 * Ends this client. Sessions and entries stay, for other clients of the same
	 * in-memory Consul.
	 */
	@Override
	public void close() {
		if (!this.owner) {
			return;
		}
		this.shared.lock.lock();
		try {
			this.closed.set(true);
			this.shared.changed.signalAll();
		}
		finally {
			this.shared.lock.unlock();
		}
	}

	private <T> T call(String what, Supplier<T> action) {
		this.shared.lock.lock();
		try {
			checkUsable(what);
			this.store.endExpiredSessions();
			T result = action.get();
			this.shared.changed.signalAll();
			return result;
		}
		finally {
			this.shared.lock.unlock();
		}
	}

	private <T> T watch(String what, long index, Duration wait, BooleanSupplier news, Supplier<T> answer) {
		this.shared.lock.lock();
		try {
			long deadline = System.nanoTime() + wait.toNanos();
			while (true) {
				checkUsable(what);
				if (this.store.endExpiredSessions()) {
					this.shared.changed.signalAll();
				}
				long remaining = deadline - System.nanoTime();
				if (index == 0 || news.getAsBoolean() || remaining <= 0) {
					return answer.get();
				}
				long expiry = Math.max(1, this.store.untilNextExpiry());
				this.shared.changed.awaitNanos(Math.min(remaining, Math.min(expiry, this.shared.look)));
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw interrupted(what);
		}
		finally {
			this.shared.lock.unlock();
		}
	}

	private void checkUsable(String what) {
		if (this.closed.get()) {
			throw new ConsulUnavailableException(what + " was given up: this client is closed");
		}
		if (Thread.currentThread().isInterrupted()) {
			throw interrupted(what);
		}
	}

	private static ConsulUnavailableException interrupted(String what) {
		return new ConsulUnavailableException(what + " was given up: the calling thread was interrupted");
	}

	/**
	 * What the clients of one in-memory Consul share.
	 */
	private static final class Shared {

		private final ReentrantLock lock = new ReentrantLock();

		private final Condition changed = this.lock.newCondition();

		private final Map<ConsulScope, InMemoryStore> stores = new ConcurrentHashMap<>();

		private final LongSupplier nanos;

		private final long look;

		Shared(LongSupplier nanos, long look) {
			this.nanos = nanos;
			this.look = look;
		}

		InMemoryStore store(ConsulScope scope) {
			return this.stores.computeIfAbsent(scope, (key) -> new InMemoryStore(this.nanos));
		}

	}

}
