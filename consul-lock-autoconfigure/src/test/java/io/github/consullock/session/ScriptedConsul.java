package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.SessionInfo;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.consul.SessionSnapshot;
import io.github.consullock.consul.TransactionOutcome;

/**
 * Answers as Consul does, unless the test says otherwise, and notes what it was asked.
 */
final class ScriptedConsul implements ConsulClient {

	static final Runnable NORMAL = () -> {
	};

	static final Runnable UNAVAILABLE = () -> {
		throw new ConsulUnavailableException("No answer");
	};

	static final Runnable REFUSED = () -> {
		throw new ConsulRefusedException("Permission denied");
	};

	private final VirtualKeeperThreads threads;

	/** What happens before a request is served. */
	Runnable onCreate = NORMAL;

	/** What happens after a session was created, before the answer arrives. */
	Runnable afterCreate = NORMAL;

	Runnable onRenew = NORMAL;

	Runnable onRead = NORMAL;

	Runnable onDestroy = NORMAL;

	Runnable onWatch = NORMAL;

	/** The TTL that a session gets, whatever is asked for. */
	Duration takenTtl = SessionSettings.DEFAULTS.ttl();

	/** The lock-delay that sessions are shown with. */
	Duration lockDelay = SessionSettings.DEFAULTS.lockDelay();

	/** Whether the token may see sessions. */
	boolean visible = true;

	final Set<String> sessions = new LinkedHashSet<>();

	final List<String> created = new ArrayList<>();

	/** When renewals were sent. */
	final List<Duration> renewals = new ArrayList<>();

	/** When sessions were read. */
	final List<Duration> reads = new ArrayList<>();

	/** Which sessions were to be destroyed, attempts without success included. */
	final List<String> destroyed = new ArrayList<>();

	final List<Long> watchedIndexes = new ArrayList<>();

	long index = 10;

	ScriptedConsul(VirtualKeeperThreads threads) {
		this.threads = threads;
	}

	/** Takes 2 s, and then there is no answer. */
	Runnable hanging() {
		return () -> {
			this.threads.advance(Duration.ofSeconds(2));
			UNAVAILABLE.run();
		};
	}

	/** Takes some time. */
	Runnable slow(Duration duration) {
		return () -> this.threads.advance(duration);
	}

	@Override
	public String createSession(SessionRequest request) {
		send(this.onCreate);
		String id = "session-" + (this.created.size() + 1);
		this.created.add(id);
		this.sessions.add(id);
		send(this.afterCreate);
		return id;
	}

	@Override
	public RenewalOutcome renewSession(String sessionId) {
		this.renewals.add(this.threads.elapsed());
		send(this.onRenew);
		return this.sessions.contains(sessionId)
				? new RenewalOutcome.Renewed(this.takenTtl, SessionSettings.DEFAULTS.lockDelay())
				: new RenewalOutcome.Ended();
	}

	@Override
	public void destroySession(String sessionId) {
		this.destroyed.add(sessionId);
		send(this.onDestroy);
		this.sessions.remove(sessionId);
	}

	@Override
	public SessionSnapshot watchSession(String sessionId, long index, Duration wait) {
		this.watchedIndexes.add(index);
		send(this.onWatch);
		return new SessionSnapshot(this.index, this.visible && this.sessions.contains(sessionId));
	}

	private static void send(Runnable behavior) {
		if (Thread.currentThread().isInterrupted()) {
			throw new ConsulUnavailableException("The calling thread was interrupted");
		}
		behavior.run();
	}

	@Override
	public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
		this.reads.add(this.threads.elapsed());
		send(this.onRead);
		return (this.visible && this.sessions.contains(sessionId))
				? Optional
					.of(new SessionInfo(sessionId, "theirs", Duration.ZERO, this.lockDelay, SessionBehavior.RELEASE))
				: Optional.empty();
	}

	@Override
	public Optional<KvEntry> read(String key, Duration timeout) {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<KvEntry> list(String prefix) {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<KvEntry> watchTree(String prefix, long index, Duration wait) {
		throw new UnsupportedOperationException();
	}

	@Override
	public KvSnapshot watch(String key, long index, Duration wait) {
		throw new UnsupportedOperationException();
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void close() {
	}

}
