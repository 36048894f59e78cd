package io.github.consullock.consul;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.TransactionOutcome.Failure;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * The {@link ConsulClient} that talks to Consul's HTTP API. It keeps three sets of
 * connections, each bounded: for locks, for watches, and for renewals.
 *
 * @since 0.1.0
 */
public final class HttpConsulClient implements ConsulClient {

	private static final Duration RENEWAL_TIMEOUT = Duration.ofSeconds(2);

	private static final Duration WATCH_SLACK = Duration.ofSeconds(2);

	/** A pool of sessions makes 8 requests at once at most; the rest is for others. */
	private static final int RENEWAL_CONNECTIONS = 10;

	private final ConsulHttp http;

	private final ConsulErrors errors;

	private final HttpLane locks;

	private final HttpLane watches;

	private final HttpLane renewals;

	private final Duration readTimeout;

	private final ConsulScope scope;

	/** Whether the connections are this client's own. */
	private final boolean owner;

	HttpConsulClient(HttpConsulClientBuilder settings) {
		this.errors = new ConsulErrors(settings.base());
		this.http = new ConsulHttp(settings.base(), settings.scope().query(), settings.token(), this.errors);
		this.readTimeout = settings.readTimeout();
		this.scope = settings.scope();
		this.owner = true;
		@Nullable TlsSocketStrategy tls = settings.tls();
		this.locks = new HttpLane(settings.maxConnections(), settings.connectTimeout(), this.readTimeout, tls);
		// One more than the watches of locks, for the watch of the session.
		this.watches = new HttpLane(settings.maxWatches() + 1, settings.connectTimeout(), this.readTimeout, tls);
		this.renewals = new HttpLane(RENEWAL_CONNECTIONS, min(settings.connectTimeout(), RENEWAL_TIMEOUT),
				RENEWAL_TIMEOUT, tls);
	}

	private HttpConsulClient(HttpConsulClient origin, ConsulScope scope) {
		this.errors = origin.errors;
		this.http = origin.http.with(scope.query());
		this.readTimeout = origin.readTimeout;
		this.scope = scope;
		this.owner = false;
		this.locks = origin.locks;
		this.watches = origin.watches;
		this.renewals = origin.renewals;
	}

	/**
	 * Starts building a client.
	 * @param base where Consul is: scheme, host, port, and a path if a proxy serves it
	 * below one
	 * @return a builder with the default settings
	 */
	public static HttpConsulClientBuilder builder(URI base) {
		return new HttpConsulClientBuilder(base);
	}

	@Override
	public String createSession(SessionRequest session) {
		ConsulRequest request = ConsulRequest.put("/v1/session/create", "", ConsulJson.session(session),
				this.readTimeout);
		ConsulAnswer answer = this.http.send(this.locks, request);
		if (answer.status() == 200) {
			return parse(request, answer, ConsulJson::sessionId);
		}
		// Consul answers 500 for these as well, but they do not pass by themselves.
		if (answer.body().contains("Invalid Session TTL")) {
			throw this.errors.refused(request, answer, "Consul accepts 10s to 24h: change consul.lock.session.ttl.");
		}
		if (answer.body().contains("Missing check")) {
			throw this.errors.refused(request, answer, "The session is bound to a check that is not registered: "
					+ "change consul.lock.session.node-checks, service-checks or bind-to-service.");
		}
		throw this.errors.of(request, answer);
	}

	@Override
	public RenewalOutcome renewSession(String sessionId) {
		ConsulRequest request = ConsulRequest.put("/v1/session/renew/" + segment(sessionId), "", null, RENEWAL_TIMEOUT);
		ConsulAnswer answer = this.http.send(this.renewals, request);
		if (answer.status() == 200) {
			return parse(request, answer, ConsulJson::renewed);
		}
		// Any other 404 tells of a wrong path, not of the session's end.
		if (answer.status() == 404 && answer.body().contains("Session id '" + sessionId + "'")) {
			return new RenewalOutcome.Ended();
		}
		throw this.errors.of(request, answer);
	}

	@Override
	public void destroySession(String sessionId) {
		ConsulRequest request = ConsulRequest.put("/v1/session/destroy/" + segment(sessionId), "", null,
				RENEWAL_TIMEOUT);
		ConsulAnswer answer = this.http.send(this.renewals, request);
		if (answer.status() != 200) {
			throw this.errors.of(request, answer);
		}
		if (!"true".equals(answer.body().strip())) {
			throw this.errors.unexpected(request, answer, null);
		}
	}

	@Override
	public SessionSnapshot watchSession(String sessionId, long index, Duration wait) {
		ConsulRequest request = watching("/v1/session/info/" + segment(sessionId), "", index, wait);
		ConsulAnswer answer = this.http.send(this.watches, request);
		if (answer.status() != 200) {
			throw this.errors.of(request, answer);
		}
		return new SessionSnapshot(index(request, answer), parse(request, answer, ConsulJson::size) > 0);
	}

	@Override
	public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
		ConsulRequest request = ConsulRequest.get("/v1/session/info/" + segment(sessionId), "consistent",
				min(timeout, RENEWAL_TIMEOUT));
		ConsulAnswer answer = this.http.send(this.renewals, request);
		if (answer.status() == 500 && answer.body().contains("UUID")) {
			throw this.errors.refused(request, answer,
					"The id of a session is a UUID: check that of the lock's session.");
		}
		if (answer.status() != 200) {
			throw this.errors.of(request, answer);
		}
		return parse(request, answer, ConsulJson::sessionInfo);
	}

	@Override
	public Optional<KvEntry> read(String key, Duration timeout) {
		ConsulRequest request = ConsulRequest.get(path(key), "consistent", min(timeout, this.readTimeout));
		return entries(request, this.http.send(this.locks, request)).stream().findFirst();
	}

	@Override
	public List<KvEntry> list(String prefix) {
		return list(prefix, this.readTimeout);
	}

	@Override
	public List<KvEntry> list(String prefix, Duration timeout) {
		ConsulRequest request = ConsulRequest.get(path(prefix), "recurse&consistent", min(timeout, this.readTimeout));
		return sorted(entries(request, this.http.send(this.locks, request)));
	}

	private static List<KvEntry> sorted(List<KvEntry> entries) {
		return entries.stream().sorted(Comparator.comparing(KvEntry::key)).toList();
	}

	@Override
	public List<KvEntry> watchTree(String prefix, long index, Duration wait) {
		ConsulRequest request = watching(path(prefix), "recurse", index, wait);
		return sorted(entries(request, this.http.send(this.locks, request)));
	}

	@Override
	public KvSnapshot watch(String key, long index, Duration wait) {
		ConsulRequest request = watching(path(key), "", index, wait);
		ConsulAnswer answer = this.http.send(this.watches, request);
		List<KvEntry> entries = entries(request, answer);
		return new KvSnapshot(index(request, answer), entries.isEmpty() ? null : entries.get(0));
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		boolean onlyReads = onlyReads(operations);
		ConsulRequest request = ConsulRequest.put("/v1/txn", onlyReads ? "consistent" : "",
				ConsulJson.transaction(operations, this.scope), min(timeout, this.readTimeout));
		ConsulAnswer answer = this.http.send(this.locks, request);
		return switch (answer.status()) {
			case 200 -> onlyReads ? new TransactionOutcome.Committed(parse(request, answer, ConsulJson::results))
					: written(request, answer, operations);
			case 409 -> rolledBack(request, answer, operations);
			default -> throw this.errors.of(request, answer);
		};
	}

	private static boolean onlyReads(List<KvOperation> operations) {
		for (KvOperation operation : operations) {
			if (!operation.verb().isRead()) {
				return false;
			}
		}
		return true;
	}

	/**
	 * An answer of 200 that cannot be read, or does not tell of each write, leaves open
	 * whether the writes were applied.
	 */
	private TransactionOutcome written(ConsulRequest request, ConsulAnswer answer, List<KvOperation> operations) {
		try {
			List<KvEntry> results = parse(request, answer, ConsulJson::results);
			int written = 0;
			for (KvOperation operation : operations) {
				written += operation.verb().leavesEntry() ? 1 : 0;
			}
			if (results.size() < written) {
				throw this.errors.unexpected(request, answer, null);
			}
			return new TransactionOutcome.Committed(results);
		}
		catch (ConsulRefusedException ex) {
			throw new ConsulUnavailableException(String.valueOf(ex.getMessage()), ex);
		}
	}

	private TransactionOutcome rolledBack(ConsulRequest request, ConsulAnswer answer, List<KvOperation> operations) {
		List<Failure> failures = new ArrayList<>();
		for (ConsulJson.TxnError error : parse(request, answer, ConsulJson::errors)) {
			if (error.operation() < 0 || error.operation() >= operations.size()) {
				throw this.errors.unexpected(request, answer, null);
			}
			FailureReason reason = TransactionErrors.reasonOf(error.what());
			if (reason == null && TransactionErrors.isPermissionDenied(error.what())) {
				throw this.errors.permissionDenied(request, operations.get(error.operation()).key(), error.what());
			}
			if (reason == null) {
				throw this.errors.refused(request, answer, "This version of Consul says something unknown.");
			}
			failures.add(new Failure(error.operation(), reason, error.what()));
		}
		return new TransactionOutcome.RolledBack(failures);
	}

	int leasedConnections() {
		return this.locks.leased() + this.watches.leased() + this.renewals.leased();
	}

	@Override
	public ConsulClient at(ConsulScope scope) {
		return new HttpConsulClient(this, scope.within(this.scope));
	}

	@Override
	public void close() {
		if (!this.owner) {
			return;
		}
		this.http.close();
		this.locks.close();
		this.watches.close();
		this.renewals.close();
	}

	private ConsulRequest watching(String path, String query, long index, Duration wait) {
		if (index == 0) {
			return ConsulRequest.get(path, query, this.readTimeout);
		}
		// Consul takes a wait of 0 for 5 minutes.
		Duration atLeast = Duration.ofMillis(Math.max(1, wait.toMillis()));
		String waiting = (query.isEmpty() ? "" : query + "&") + "index=" + Long.toUnsignedString(index) + "&wait="
				+ GoDuration.format(atLeast);
		// Consul adds up to a sixteenth.
		return ConsulRequest.get(path, waiting, atLeast.plus(atLeast.dividedBy(16)).plus(WATCH_SLACK));
	}

	/**
	 * The entries of an answer; none for the 404 of a key that is not there, which has an
	 * index, unlike that of a path that is not there.
	 */
	private List<KvEntry> entries(ConsulRequest request, ConsulAnswer answer) {
		if (answer.status() == 404 && answer.index() != null) {
			return List.of();
		}
		if (answer.status() != 200) {
			throw this.errors.of(request, answer);
		}
		return parse(request, answer, ConsulJson::entries);
	}

	private long index(ConsulRequest request, ConsulAnswer answer) {
		if (answer.index() == null) {
			throw this.errors.unexpected(request, answer, null);
		}
		// To wait for index 0 would not wait.
		return Math.max(1, answer.index());
	}

	private <T> T parse(ConsulRequest request, ConsulAnswer answer, Function<byte[], T> parser) {
		try {
			return parser.apply(answer.content());
		}
		catch (JacksonException | IllegalArgumentException ex) {
			throw this.errors.unexpected(request, answer, ex);
		}
	}

	private static String path(String key) {
		return "/v1/kv/" + ConsulRequest.encodePath(key);
	}

	private static String segment(String sessionId) {
		return ConsulRequest.encodeQuery(sessionId);
	}

	private static Duration min(Duration one, Duration other) {
		return (one.compareTo(other) <= 0) ? one : other;
	}

}
