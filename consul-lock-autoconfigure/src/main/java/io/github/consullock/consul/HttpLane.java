package io.github.consullock.consul;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.DefaultConnectionKeepAliveStrategy;
import org.apache.hc.client5.http.io.ConnectionEndpoint;
import org.apache.hc.client5.http.io.LeaseRequest;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.impl.DefaultConnectionReuseStrategy;
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Connections of their own for one kind of traffic, so that another kind cannot starve
 * it.
 * <p>
 * It uses HttpClient's connections, and not its client, which deals with redirects,
 * cookies, challenges and proxies: nothing that Consul asks for, and most of a request's
 * cost.
 */
final class HttpLane {

	/**
	 * Far above any answer of Consul to what is asked here; keeps a foreign server from
	 * filling the memory.
	 */
	private static final int MAX_BODY = 64 * 1024 * 1024;

	private static final TimeValue VALIDATE_AFTER_INACTIVITY = TimeValue.ofSeconds(2);

	private final HttpRequestExecutor executor = new HttpRequestExecutor();

	private final Supplier<ConnectionPool> creator;

	private final Timeout leaseTimeout;

	/** None before the first request, so that an application starts without it. */
	private volatile @Nullable ConnectionPool connections;

	private final ReentrantLock opening = new ReentrantLock();

	/** Guarded by the lock. */
	private boolean closed;

	/**
	 * Creates a lane.
	 * @param size the greatest number of connections
	 * @param leaseTimeout how long to wait for a free one
	 * @param tls what https takes, or {@code null} where all is http
	 */
	HttpLane(int size, Duration connectTimeout, Duration leaseTimeout, @Nullable TlsSocketStrategy tls) {
		this.leaseTimeout = timeout(leaseTimeout);
		this.creator = () -> create(size, connectTimeout, tls);
	}

	private static ConnectionPool create(int size, Duration connectTimeout, @Nullable TlsSocketStrategy tls) {
		ConnectionPool pool = new ConnectionPool(size, tls);
		pool.setDefaultSocketConfig(SocketConfig.custom().setTcpNoDelay(true).setSoKeepAlive(true).build());
		pool.setDefaultConnectionConfig(ConnectionConfig.custom()
			.setConnectTimeout(timeout(connectTimeout))
			.setValidateAfterInactivity(VALIDATE_AFTER_INACTIVITY)
			.build());
		return pool;
	}

	private ConnectionPool connections() {
		ConnectionPool present = this.connections;
		return (present != null) ? present : open();
	}

	private ConnectionPool open() {
		this.opening.lock();
		try {
			ConnectionPool present = this.connections;
			if (present == null) {
				if (this.closed) {
					throw new IllegalStateException("Closed before the first request");
				}
				present = this.creator.get();
				this.connections = present;
			}
			return present;
		}
		finally {
			this.opening.unlock();
		}
	}

	/**
	 * Sends a request once.
	 */
	ConsulAnswer send(HttpRoute route, ClassicHttpRequest request, RequestDeadline deadline, HttpClientContext context)
			throws IOException {
		ConnectionPool pool = connections();
		ConnectionEndpoint connection = lease(pool, route, deadline.remaining(this.leaseTimeout));
		TimeValue keepAlive = null;
		try {
			if (!connection.isConnected()) {
				deadline.putInto(context);
				pool.connect(connection, null, context);
			}
			// The connection is there; what is left of the time is the answer's.
			connection.setSocketTimeout(deadline.remaining());
			ClassicHttpResponse response = connection.execute("", request, this.executor::execute, context);
			ConsulAnswer answer = new ConsulAnswer(response.getCode(), body(response), index(response));
			if (DefaultConnectionReuseStrategy.INSTANCE.keepAlive(request, response, context)) {
				keepAlive = DefaultConnectionKeepAliveStrategy.INSTANCE.getKeepAliveDuration(response, context);
			}
			return answer;
		}
		catch (HttpException ex) {
			throw new ClientProtocolException(ex.getMessage(), ex);
		}
		finally {
			release(pool, connection, keepAlive);
		}
	}

	private static ConnectionEndpoint lease(ConnectionPool pool, HttpRoute route, Timeout timeout) throws IOException {
		LeaseRequest request = pool.lease("", route, timeout, null);
		try {
			return request.get(timeout);
		}
		catch (TimeoutException ex) {
			request.cancel();
			throw new ConnectionRequestTimeoutException(ex.getMessage());
		}
		catch (InterruptedException ex) {
			request.cancel();
			Thread.currentThread().interrupt();
			throw (IOException) new InterruptedIOException("Interrupted").initCause(ex);
		}
		catch (ExecutionException ex) {
			request.cancel();
			throw new IOException(ex.getMessage(), ex);
		}
	}

	/**
	 * Gives a connection back.
	 * @param keepAlive for how long it may be used again, or {@code null} if it may not
	 */
	private static void release(ConnectionPool pool, ConnectionEndpoint connection, @Nullable TimeValue keepAlive) {
		if (keepAlive == null) {
			connection.close(CloseMode.IMMEDIATE);
		}
		pool.release(connection, null, (keepAlive != null) ? keepAlive : TimeValue.ZERO_MILLISECONDS);
	}

	/**
	 * Whether the request may have been sent: its connection has been used.
	 */
	static boolean isSent(HttpClientContext context) {
		EndpointDetails details = context.getEndpointDetails();
		return details != null && details.getRequestCount() > 0;
	}

	/**
	 * Whether the connection of this request had served another before.
	 */
	static boolean reusedConnection(HttpClientContext context) {
		EndpointDetails details = context.getEndpointDetails();
		return details != null && details.getRequestCount() > 1;
	}

	int leased() {
		ConnectionPool present = this.connections;
		return (present != null) ? present.getTotalStats().getLeased() : 0;
	}

	void close() {
		this.opening.lock();
		try {
			this.closed = true;
		}
		finally {
			this.opening.unlock();
		}
		ConnectionPool present = this.connections;
		if (present != null) {
			present.close(CloseMode.IMMEDIATE);
		}
	}

	private static byte[] body(ClassicHttpResponse response) throws IOException {
		HttpEntity entity = response.getEntity();
		if (entity == null) {
			return new byte[0];
		}
		// Below 0 where it was not announced.
		long length = entity.getContentLength();
		if (length > MAX_BODY) {
			throw tooLong();
		}
		byte[] body = entity.getContent().readNBytes((length >= 0) ? (int) length : MAX_BODY + 1);
		if (body.length > MAX_BODY) {
			throw tooLong();
		}
		return body;
	}

	private static IOException tooLong() {
		return new IOException("The answer is longer than " + MAX_BODY + " bytes");
	}

	private static @Nullable Long index(ClassicHttpResponse response) {
		Header header = response.getFirstHeader("X-Consul-Index");
		if (header == null) {
			return null;
		}
		try {
			return Long.parseUnsignedLong(header.getValue().trim());
		}
		catch (NumberFormatException ex) {
			return null;
		}
	}

	/**
	 * To HttpClient 0 means no timeout at all.
	 */
	private static Timeout timeout(Duration duration) {
		return Timeout.ofMilliseconds(Math.max(1, duration.toMillis()));
	}

}
