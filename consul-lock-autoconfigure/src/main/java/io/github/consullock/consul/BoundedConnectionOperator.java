package io.github.consullock.consul;

import java.io.IOException;
import java.net.InetSocketAddress;

import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.io.DefaultHttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.config.Lookup;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Connects and shakes hands within the deadline of the request that wants the connection.
 */
final class BoundedConnectionOperator extends DefaultHttpClientConnectionOperator {

	BoundedConnectionOperator(@Nullable TlsSocketStrategy tls) {
		super(new InterruptibleSocketFactory(), null, null, lookup(tls));
	}

	private static Lookup<TlsSocketStrategy> lookup(@Nullable TlsSocketStrategy tls) {
		return (scheme) -> "https".equals(scheme) ? tls : null;
	}

	@Override
	public void connect(ManagedHttpClientConnection connection, HttpHost host, @Nullable NamedEndpoint name,
			@Nullable InetSocketAddress localAddress, Timeout connectTimeout, SocketConfig socketConfig,
			@Nullable Object attachment, HttpContext context) throws IOException {
		RequestDeadline deadline = RequestDeadline.of(context);
		TlsConfig tls = TlsConfig.custom().setHandshakeTimeout(deadline.remaining()).build();
		super.connect(connection, host, name, localAddress, deadline.remaining(connectTimeout), socketConfig, tls,
				context);
	}

}
