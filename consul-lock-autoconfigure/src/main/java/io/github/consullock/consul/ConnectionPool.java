package io.github.consullock.consul;

import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/**
 * A pool of a fixed number of connections, the last used first.
 */
final class ConnectionPool extends PoolingHttpClientConnectionManager {

	ConnectionPool(int size, @Nullable TlsSocketStrategy tls) {
		super(new BoundedConnectionOperator(tls), PoolConcurrencyPolicy.STRICT, PoolReusePolicy.LIFO,
				TimeValue.NEG_ONE_MILLISECOND, (socket) -> new ConsulConnection());
		setMaxTotal(size);
		setDefaultMaxPerRoute(size);
	}

}
