package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What the locks need of Consul. Safe for use by several threads at once.
 * <p>
 * Every call is bounded in time and ends in one of three ways: with its typed outcome;
 * with a {@link io.github.consullock.ConsulRefusedException} when Consul refuses, so that
 * trying again does not help (a 4xx but 429, TLS, an ACL refusal inside a transaction);
 * or with a {@link io.github.consullock.ConsulUnavailableException} when there is no
 * answer, a broken one, a 5xx or a 429. After the last, a write may or may not have been
 * applied, and may even be applied later.
 * <p>
 * An interrupt of the calling thread ends a call at once, with a
 * {@code ConsulUnavailableException}, the thread's interrupt flag set. A call made with
 * the flag already set does the same.
 *
 * @since 0.1.0
 */
public interface ConsulClient extends AutoCloseable {

	/**
	 * Creates a session.
	 * @param request its settings
	 * @return its id
	 */
	String createSession(SessionRequest request);

	/**
	 * Renews a session, over a connection that no other traffic shares.
	 * @param sessionId the session
	 * @return renewed, with the settings as the server has them; or that there is no such
	 * session
	 */
	RenewalOutcome renewSession(String sessionId);

	/**
	 * Destroys a session; harmless if there is none. Every key it holds is released, and
	 * lock-delay then applies to each of them.
	 * @param sessionId the session
	 */
	void destroySession(String sessionId);

	/**
	 * Waits until the server has something new to say about a session.
	 * @param sessionId the session
	 * @param index the index of the last answer, or 0 for an answer at once
	 * @param wait how long to wait at most
	 * @return whether it is there, as far as the token may see, with the index to go on
	 * from. Absence is no proof of its end: renew to learn that.
	 */
	SessionSnapshot watchSession(String sessionId, long index, Duration wait);

	/**
	 * Reads a session, consistently, without renewing it, over a connection that no
	 * traffic of locks shares.
	 * @param sessionId the session
	 * @param timeout how long the answer may take; never more than the client's own limit
	 * @return the session, or empty if there is none or the token may not see it
	 */
	Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout);

	/**
	 * Reads one entry, consistently: what was written before this call is seen.
	 * @param key the full key
	 * @param timeout how long the answer may take; never more than the client's own limit
	 * @return the entry, or empty if there is none
	 */
	Optional<KvEntry> read(String key, Duration timeout);

	/**
	 * Reads all entries below a prefix, consistently.
	 * @param prefix the prefix
	 * @return the entries in the order of their keys
	 */
	List<KvEntry> list(String prefix);

	/**
	 * Reads all entries below a prefix, consistently and as of one moment.
	 * @param prefix the prefix
	 * @param timeout how long the answer may take; never more than the client's own limit
	 * @return the entries in the order of their keys
	 */
	default List<KvEntry> list(String prefix, Duration timeout) {
		return list(prefix);
	}

	/**
	 * Waits until anything below a prefix changes, appears or disappears.
	 * @param prefix the prefix
	 * @param index an index: what has changed after it is answered at once
	 * @param wait how long to wait at most
	 * @return the entries as they are then, changed or not, in the order of their keys
	 */
	List<KvEntry> watchTree(String prefix, long index, Duration wait);

	/**
	 * Waits until an entry changes, appears or disappears.
	 * @param key the full key
	 * @param index the index of the last snapshot, or 0 for an answer at once
	 * @param wait how long to wait at most
	 * @return the entry as it is then, changed or not, with the index to go on from
	 */
	KvSnapshot watch(String key, long index, Duration wait);

	/**
	 * Applies all operations or none, in one Raft write; as a read, if they only check.
	 * @param operations at most 64, or 128 since Consul 1.14
	 * @param timeout how long the answer may take; never more than the client's own limit
	 * @return committed, or rolled back with every operation that failed
	 * @throws TransactionTooLargeException if these are more operations than the server
	 * takes in one transaction
	 */
	TransactionOutcome transact(List<KvOperation> operations, Duration timeout);

	/**
	 * A client for another part of the same Consul. It shares the connections of this
	 * one, is closed with it, and closing it closes nothing.
	 * @param scope where its requests go; what that leaves open is as in this client
	 * @return the client; where nothing but {@link ConsulScope#DEFAULT} is supported,
	 * this one
	 * @throws UnsupportedOperationException if this client has no scopes
	 */
	default ConsulClient at(ConsulScope scope) {
		if (scope.equals(ConsulScope.DEFAULT)) {
			return this;
		}
		throw new UnsupportedOperationException(
				getClass().getName() + " supports neither datacenters nor namespaces nor partitions, so not " + scope);
	}

	/**
	 * Closes all connections. Calls under way end with a
	 * {@code ConsulUnavailableException}.
	 */
	@Override
	void close();

}
