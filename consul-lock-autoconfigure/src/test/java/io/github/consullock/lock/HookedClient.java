package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.ForwardingClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.SessionInfo;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.consul.SessionSnapshot;
import io.github.consullock.consul.TransactionOutcome;

/**
 * A client that lets a test do something right before or right after one transaction, on
 * the thread that sends it.
 */
final class HookedClient extends ForwardingClient {

	/** An attempt to acquire a key that is not there. */
	static final Predicate<List<KvOperation>> ACQUIRE = (operations) -> operations.stream()
		.anyMatch((operation) -> operation.verb() == KvOperation.Verb.CHECK_NOT_EXISTS)
			&& operations.get(operations.size() - 1).verb() == KvOperation.Verb.LOCK;

	/** A release that deletes the entry. */
	static final Predicate<List<KvOperation>> RELEASE = (operations) -> operations.stream()
		.anyMatch((operation) -> operation.verb() == KvOperation.Verb.DELETE_CAS);

	/** An attempt to acquire a key that the session itself has left behind. */
	static final Predicate<List<KvOperation>> TAKE_OVER = (
			operations) -> operations.stream().anyMatch((operation) -> operation.verb() == KvOperation.Verb.UNLOCK)
					&& operations.get(operations.size() - 1).verb() == KvOperation.Verb.LOCK;

	private record Hook(Predicate<List<KvOperation>> condition, Runnable action) {
	}

	private final AtomicReference<Hook> before = new AtomicReference<>();

	private final AtomicReference<Hook> after = new AtomicReference<>();

	private final AtomicReference<Runnable> beforeWatch = new AtomicReference<>();

	private final AtomicReference<Runnable> beforeTreeWatch = new AtomicReference<>();

	private final AtomicReference<Runnable> afterLook = new AtomicReference<>();

	private final Queue<String> createdSessions = new ConcurrentLinkedQueue<>();

	private final AtomicInteger transactions = new AtomicInteger();

	private volatile Runnable alwaysBefore = () -> {
	};

	private volatile Hook repeated = new Hook((operations) -> false, () -> {
	});

	private volatile Predicate<KvOperation> refused = (operation) -> false;

	private volatile boolean sessionEndsHidden;

	private volatile boolean sessionsOutOfReach;

	private volatile Runnable alwaysAfter = () -> {
	};

	HookedClient(ConsulClient client) {
		super(client);
	}

	/** Runs before the next transaction that fits is sent; once. */
	void before(Predicate<List<KvOperation>> condition, Runnable action) {
		this.before.set(new Hook(condition, action));
	}

	/** Runs once the next transaction that fits has been answered; once. */
	void after(Predicate<List<KvOperation>> condition, Runnable action) {
		this.after.set(new Hook(condition, action));
	}

	/** Runs before the next watch of a key is sent; once. */
	void beforeNextWatch(Runnable action) {
		this.beforeWatch.set(action);
	}

	/** Runs before the next watch of all that is below a key is sent; once. */
	void beforeNextTreeWatch(Runnable action) {
		this.beforeTreeWatch.set(action);
	}

	/** Runs once the next answer tells of all that is below a key; once. */
	void afterNextLook(Runnable action) {
		this.afterLook.set(action);
	}

	/**
	 * Runs before every transaction and each new session; if it throws, nothing is sent.
	 */
	void alwaysBefore(Runnable action) {
		this.alwaysBefore = action;
	}

	/** Runs after every transaction that fits. */
	void alwaysAfter(Predicate<List<KvOperation>> condition, Runnable action) {
		this.repeated = new Hook(condition, action);
	}

	/** Runs after every transaction; what it throws takes the answer's place. */
	void alwaysAfter(Runnable action) {
		this.alwaysAfter = action;
	}

	/** Refuses every transaction with such an operation, as ACL rules do. */
	void refuse(Predicate<KvOperation> operation) {
		this.refused = operation;
	}

	/** Whether no session can be looked at. */
	void sessionsOutOfReach(boolean outOfReach) {
		this.sessionsOutOfReach = outOfReach;
	}

	@Override
	public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
		if (this.sessionsOutOfReach) {
			throw new ConsulUnavailableException("Out of reach, says the test");
		}
		return super.sessionInfo(sessionId, timeout);
	}

	/** From now on no watch of a session tells that it has ended. */
	void hideSessionEnds() {
		this.sessionEndsHidden = true;
	}

	boolean isDone() {
		return this.before.get() == null && this.after.get() == null && this.beforeWatch.get() == null
				&& this.beforeTreeWatch.get() == null && this.afterLook.get() == null;
	}

	/** How many transactions were sent that may write. */
	int transactions() {
		return this.transactions.get();
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		if (operations.stream().allMatch((operation) -> operation.verb().isRead())) {
			TransactionOutcome read = super.transact(operations, timeout);
			if (operations.stream().anyMatch((operation) -> operation.verb() == KvOperation.Verb.GET_TREE)) {
				run(this.afterLook);
			}
			return read;
		}
		this.alwaysBefore.run();
		run(this.before, operations);
		this.transactions.incrementAndGet();
		if (operations.stream().anyMatch(this.refused)) {
			throw new ConsulRefusedException("Permission denied, says the test");
		}
		TransactionOutcome outcome = super.transact(operations, timeout);
		run(this.after, operations);
		if (this.repeated.condition().test(operations)) {
			this.repeated.action().run();
		}
		this.alwaysAfter.run();
		return outcome;
	}

	private static void run(AtomicReference<Hook> reference, List<KvOperation> operations) {
		Hook hook = reference.get();
		if (hook != null && hook.condition().test(operations) && reference.compareAndSet(hook, null)) {
			hook.action().run();
		}
	}

	private static void run(AtomicReference<Runnable> reference) {
		Runnable action = reference.getAndSet(null);
		if (action != null) {
			action.run();
		}
	}

	@Override
	public String createSession(SessionRequest request) {
		this.alwaysBefore.run();
		String session = super.createSession(request);
		this.createdSessions.add(session);
		return session;
	}

	/** The sessions that were created. */
	List<String> createdSessions() {
		return List.copyOf(this.createdSessions);
	}

	@Override
	public SessionSnapshot watchSession(String sessionId, long index, Duration wait) {
		SessionSnapshot snapshot = super.watchSession(sessionId, index, wait);
		if (this.sessionEndsHidden && !snapshot.visible()) {
			throw new ConsulUnavailableException("Hidden by the test");
		}
		return snapshot;
	}

	@Override
	public List<KvEntry> list(String prefix, Duration timeout) {
		List<KvEntry> entries = super.list(prefix, timeout);
		run(this.afterLook);
		return entries;
	}

	@Override
	public List<KvEntry> watchTree(String prefix, long index, Duration wait) {
		run(this.beforeTreeWatch);
		List<KvEntry> entries = super.watchTree(prefix, index, wait);
		run(this.afterLook);
		return entries;
	}

	@Override
	public KvSnapshot watch(String key, long index, Duration wait) {
		run(this.beforeWatch);
		return super.watch(key, index, wait);
	}

}
