package io.github.consullock.consul;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.ChainElement;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Connections of their own for one kind of traffic, so that another kind cannot starve
 * it.
 */
final class HttpLane {

	/**
	 * Far above any answer of Consul to what is asked here; keeps a foreign server from
	 * filling the memory.
	 */
	private static final int MAX_BODY = 64 * 1024 * 1024;

	private static final TimeValue VALIDATE_AFTER_INACTIVITY = TimeValue.ofSeconds(2);

	private final ConnectionPool connections;

	private final CloseableHttpClient client;

	private final Timeout leaseTimeout;

	/**
	 * Creates a lane.
	 * @param size the greatest number of connections
	 * @param leaseTimeout how long to wait for a free one
	 */
	HttpLane(int size, Duration connectTimeout, Duration leaseTimeout, TlsSocketStrategy tls) {
		this.leaseTimeout = timeout(leaseTimeout);
		this.connections = new ConnectionPool(size, tls);
		this.connections.setDefaultSocketConfig(SocketConfig.custom().setTcpNoDelay(true).setSoKeepAlive(true).build());
		this.connections.setDefaultConnectionConfig(ConnectionConfig.custom()
			.setConnectTimeout(timeout(connectTimeout))
			.setValidateAfterInactivity(VALIDATE_AFTER_INACTIVITY)
			.build());
		this.client = HttpClientBuilder.create()
			.setConnectionManager(this.connections)
			.disableAutomaticRetries()
			.disableRedirectHandling()
			.disableCookieManagement()
			.disableAuthCaching()
			.disableContentCompression()
			.disableConnectionState()
			.setUserAgent("consul-lock")
			.addExecInterceptorFirst("errors", HttpLane::discardAfterError)
			.addExecInterceptorBefore(ChainElement.MAIN_TRANSPORT.name(), "deadline", HttpLane::boundAnswer)
			.build();
	}

	/**
	 * Sends a request once.
	 */
	ConsulAnswer send(HttpHost host, ClassicHttpRequest request, RequestDeadline deadline, HttpClientContext context)
			throws IOException {
		deadline.putInto(context);
		context.setRequestConfig(RequestConfig.custom()
			.setConnectionRequestTimeout(deadline.remaining(this.leaseTimeout))
			.setProtocolUpgradeEnabled(false)
			.build());
		return this.client.execute(host, request, context,
				(response) -> new ConsulAnswer(response.getCode(), body(response), index(response)));
	}

	/** HttpClient itself would leave the connection leased. */
	private static ClassicHttpResponse discardAfterError(ClassicHttpRequest request, ExecChain.Scope scope,
			ExecChain chain) throws IOException, HttpException {
		try {
			return chain.proceed(request, scope);
		}
		catch (Error ex) {
			scope.execRuntime.discardEndpoint();
			throw ex;
		}
	}

	/** The connection is there; what is left of the time is the answer's. */
	private static ClassicHttpResponse boundAnswer(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
			throws IOException, HttpException {
		HttpClientContext context = scope.clientContext;
		context.setRequestConfig(RequestConfig.copy(context.getRequestConfig())
			.setResponseTimeout(RequestDeadline.of(context).remaining())
			.build());
		return chain.proceed(request, scope);
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
		return this.connections.getTotalStats().getLeased();
	}

	void close() {
		this.connections.closeForGood();
	}

	private static byte[] body(ClassicHttpResponse response) throws IOException {
		if (response.getEntity() == null) {
			return new byte[0];
		}
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		try (InputStream content = response.getEntity().getContent()) {
			byte[] buffer = new byte[4096];
			for (int count = content.read(buffer); count >= 0; count = content.read(buffer)) {
				body.write(buffer, 0, count);
				if (body.size() > MAX_BODY) {
					throw new IOException("The answer is longer than " + MAX_BODY + " bytes");
				}
			}
		}
		return body.toByteArray();
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
