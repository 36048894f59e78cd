package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.util.Objects;
import java.util.Set;

import com.ecwid.consul.v1.ConsulClient;
import com.ecwid.consul.v1.ConsulRawClient;
import com.ecwid.consul.v1.QueryParams;
import com.ecwid.consul.v1.kv.model.PutParams;
import com.ecwid.consul.v1.session.model.NewSession;
import com.ecwid.consul.v1.session.model.Session;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClientBuilder;
import org.jspecify.annotations.Nullable;

/**
 * What ShedLock's Consul provider did until 6.10.0, its last version, on the same client
 * library: a session for each lock, destroyed to release it, never renewed, and nobody
 * waits.
 */
final class SessionPerLock implements Contender {

	@Override
	public String name() {
		return "ShedLock's way with Consul";
	}

	@Override
	public String version() {
		return "as in 6.10.0, on ecwid consul-api 1.4.5";
	}

	@Override
	public Set<StoreKind> stores() {
		return StoreKind.CONSUL;
	}

	@Override
	public boolean suits(SideBySide experiment) {
		return experiment instanceof Held || experiment instanceof Pairs pairs && !pairs.shape().oneKey();
	}

	@Override
	public Client join(URI address) {
		// As its own, but for one that lives as long as the JVM, and would keep its
		// connections while others are measured.
		CloseableHttpClient http = HttpClientBuilder.create()
			.setMaxConnTotal(1000)
			.setMaxConnPerRoute(500)
			.disableAutomaticRetries()
			.build();
		return new SessionsClient(new ConsulClient(new ConsulRawClient(address.getHost(), address.getPort(), http)),
				http);
	}

	private record SessionsClient(ConsulClient consul, CloseableHttpClient http) implements Client {

		@Override
		public Mutex mutex(String key) {
			return new Mutex() {

				private @Nullable String session;

				@Override
				public void lock() {
					NewSession wanted = new NewSession();
					wanted.setName(key);
					wanted.setLockDelay(0);
					wanted.setBehavior(Session.Behavior.DELETE);
					wanted.setTtl("60s");
					String id = SessionsClient.this.consul.sessionCreate(wanted, QueryParams.DEFAULT).getValue();
					PutParams params = new PutParams();
					params.setAcquireSession(id);
					if (!SessionsClient.this.consul.setKVValue(key + "-leader", key, params).getValue()) {
						throw new IllegalStateException(key + " is held by another");
					}
					this.session = id;
				}

				@Override
				public void unlock() {
					SessionsClient.this.consul.sessionDestroy(Objects.requireNonNull(this.session),
							QueryParams.DEFAULT);
				}

			};
		}

		@Override
		public void close() throws IOException {
			this.http.close();
		}

	}

}
