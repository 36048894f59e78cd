package io.github.consullock;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.SessionInfo;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.consul.SessionSnapshot;
import io.github.consullock.consul.TransactionOutcome;

/**
 * Passes all calls on, those that a subclass does not change.
 */
public abstract class ForwardingClient implements ConsulClient {

	private final ConsulClient client;

	protected ForwardingClient(ConsulClient client) {
		this.client = client;
	}

	@Override
	public String createSession(SessionRequest request) {
		return this.client.createSession(request);
	}

	@Override
	public RenewalOutcome renewSession(String sessionId) {
		return this.client.renewSession(sessionId);
	}

	@Override
	public void destroySession(String sessionId) {
		this.client.destroySession(sessionId);
	}

	@Override
	public SessionSnapshot watchSession(String sessionId, long index, Duration wait) {
		return this.client.watchSession(sessionId, index, wait);
	}

	@Override
	public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
		return this.client.sessionInfo(sessionId, timeout);
	}

	@Override
	public Optional<KvEntry> read(String key, Duration timeout) {
		return this.client.read(key, timeout);
	}

	@Override
	public List<KvEntry> list(String prefix) {
		return this.client.list(prefix);
	}

	@Override
	public List<KvEntry> list(String prefix, Duration timeout) {
		return this.client.list(prefix, timeout);
	}

	@Override
	public List<KvEntry> watchTree(String prefix, long index, Duration wait) {
		return this.client.watchTree(prefix, index, wait);
	}

	@Override
	public KvSnapshot watch(String key, long index, Duration wait) {
		return this.client.watch(key, index, wait);
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		return this.client.transact(operations, timeout);
	}

	/**
	 * The client's own: nothing that a subclass changes is changed there.
	 */
	@Override
	public ConsulClient at(ConsulScope scope) {
		return scope.equals(ConsulScope.DEFAULT) ? this : this.client.at(scope);
	}

	@Override
	public void close() {
		this.client.close();
	}

}
