package io.github.consullock;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.TransactionOutcome;

/**
 * Gives each request more time than a busy machine may pause, whatever its sender would
 * give it: for tests that are about anything but that time. Renewals are not sent again:
 * whoever renews does that itself, and counts from when it was sent.
 */
public final class PatientClient extends ForwardingClient {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	/** The least that a request without a timeout of its caller's has. */
	private static final Duration SHORTEST = Duration.ofSeconds(2);

	private static final int ATTEMPTS = 10;

	public PatientClient(URI consul) {
		this(HttpConsulClient.builder(consul).connectTimeout(AMPLE).readTimeout(AMPLE).build());
	}

	private PatientClient(ConsulClient client) {
		super(client);
	}

	/**
	 * The answer to a request that does no harm when sent again, which it is when its
	 * time was up; a request that fails sooner has failed.
	 */
	public static <T> T answered(Supplier<T> request) {
		for (int attempt = 1;; attempt++) {
			long start = System.nanoTime();
			try {
				return request.get();
			}
			catch (ConsulUnavailableException ex) {
				boolean inTime = System.nanoTime() - start < SHORTEST.toNanos();
				if (inTime || attempt == ATTEMPTS || Thread.currentThread().isInterrupted()) {
					throw ex;
				}
			}
		}
	}

	/**
	 * As {@link #answered}, for a request that answers nothing.
	 */
	public static void done(Runnable request) {
		answered(() -> {
			request.run();
			return true;
		});
	}

	@Override
	public void destroySession(String sessionId) {
		done(() -> super.destroySession(sessionId));
	}

	@Override
	public Optional<KvEntry> read(String key, Duration timeout) {
		return super.read(key, AMPLE);
	}

	@Override
	public List<KvEntry> list(String prefix, Duration timeout) {
		return super.list(prefix, AMPLE);
	}

	@Override
	public ConsulClient at(ConsulScope scope) {
		return scope.equals(ConsulScope.DEFAULT) ? this : new PatientClient(super.at(scope));
	}

	@Override
	public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
		return super.transact(operations, AMPLE);
	}

}
