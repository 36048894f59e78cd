package io.github.consullock.consul;

import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.util.TimeValue;

/**
 * A pool that outlives what goes wrong in one request: HttpClient closes its connection
 * manager for good when a request ends in an {@link Error}, were it only one of the
 * calling thread's stack.
 */
final class ConnectionPool extends PoolingHttpClientConnectionManager {

	ConnectionPool(int size, TlsSocketStrategy tls) {
		super(new BoundedConnectionOperator(tls), PoolConcurrencyPolicy.STRICT, PoolReusePolicy.LIFO,
				TimeValue.NEG_ONE_MILLISECOND, (socket) -> new ConsulConnection());
		setMaxTotal(size);
		setDefaultMaxPerRoute(size);
	}

	/** For HttpClient; does nothing. */
	@Override
	public void close(CloseMode closeMode) {
	}

	/** For the owner. */
	void closeForGood() {
		super.close(CloseMode.IMMEDIATE);
	}

}
