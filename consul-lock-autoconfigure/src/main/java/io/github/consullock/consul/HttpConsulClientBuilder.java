package io.github.consullock.consul;

import java.net.URI;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;

import javax.net.ssl.SSLContext;

import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.HttpsSupport;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link HttpConsulClient}. Not safe for use by several threads.
 *
 * @since 0.1.0
 */
public final class HttpConsulClientBuilder {

	private final URI base;

	private Supplier<@Nullable String> token = () -> null;

	private ConsulScope scope = ConsulScope.DEFAULT;

	private @Nullable SSLContext sslContext;

	private String @Nullable [] tlsProtocols;

	private String @Nullable [] tlsCiphers;

	private Duration connectTimeout = Duration.ofSeconds(1);

	private Duration readTimeout = Duration.ofSeconds(10);

	private int maxConnections = 64;

	private int maxWatches = 100;

	HttpConsulClientBuilder(URI base) {
		Objects.requireNonNull(base, "base");
		if (base.getRawAuthority() != null && base.getRawAuthority().contains("@")) {
			throw new IllegalArgumentException(
					"The address of Consul must hold no user and password; set the token instead");
		}
		String scheme = base.getScheme();
		if (!"http".equalsIgnoreCase(scheme) && !"https".equalsIgnoreCase(scheme)) {
			throw invalid(base, "its scheme must be http or https");
		}
		if (base.getHost() == null) {
			throw invalid(base, "it names no host, or one with a character that a URI cannot have, such as _");
		}
		if (base.getRawQuery() != null || base.getRawFragment() != null) {
			throw invalid(base, "it must have no query and no fragment");
		}
		this.base = base;
	}

	private static IllegalArgumentException invalid(URI base, String why) {
		return new IllegalArgumentException("'" + base + "' is no address of Consul: " + why
				+ ". Expected http(s)://host:port, with a path if Consul is served below one.");
	}

	/**
	 * Where to get the ACL token. Asked for each request, so that it may change; blank or
	 * {@code null} is none. Default: none.
	 * @param token supplies the token
	 * @return this
	 */
	public HttpConsulClientBuilder token(Supplier<@Nullable String> token) {
		this.token = Objects.requireNonNull(token, "token");
		return this;
	}

	/**
	 * The datacenter. Default: that of the agent.
	 * @param datacenter its name, or {@code null} for the default
	 * @return this
	 */
	public HttpConsulClientBuilder datacenter(@Nullable String datacenter) {
		this.scope = new ConsulScope(datacenter, this.scope.namespace(), this.scope.partition());
		return this;
	}

	/**
	 * The namespace, of Consul Enterprise. Default: that of the token.
	 * @param namespace its name, or {@code null} for the default
	 * @return this
	 */
	public HttpConsulClientBuilder namespace(@Nullable String namespace) {
		this.scope = new ConsulScope(this.scope.datacenter(), namespace, this.scope.partition());
		return this;
	}

	/**
	 * The admin partition, of Consul Enterprise. Default: that of the agent.
	 * @param partition its name, or {@code null} for the default
	 * @return this
	 */
	public HttpConsulClientBuilder partition(@Nullable String partition) {
		this.scope = new ConsulScope(this.scope.datacenter(), this.scope.namespace(), partition);
		return this;
	}

	/**
	 * What to trust, and what to show as the client's certificate, where the address is
	 * https. The server's name is verified always. Default: that of the JVM.
	 * @param sslContext the context, or {@code null} for the default
	 * @return this
	 */
	public HttpConsulClientBuilder sslContext(@Nullable SSLContext sslContext) {
		this.sslContext = sslContext;
		return this;
	}

	/**
	 * Which versions of TLS and which cipher suites may be used. Default: those of the
	 * JVM that are not weak.
	 * @param protocols such as {@code TLSv1.3}, or {@code null} for the default
	 * @param ciphers the cipher suites, or {@code null} for the default
	 * @return this
	 */
	public HttpConsulClientBuilder tlsOptions(String @Nullable [] protocols, String @Nullable [] ciphers) {
		this.tlsProtocols = protocols;
		this.tlsCiphers = ciphers;
		return this;
	}

	/**
	 * How long connecting may take, for each address of the host. Default: 1 s; renewals
	 * never take more than 2 s.
	 * @param connectTimeout at least 1 ms
	 * @return this
	 */
	public HttpConsulClientBuilder connectTimeout(Duration connectTimeout) {
		this.connectTimeout = checked("connectTimeout", connectTimeout);
		return this;
	}

	/**
	 * How long an answer may take that nothing else bounds more tightly. Default: 10 s;
	 * without a leader Consul takes 7 s to say so. Renewals have 2 s, watches their own
	 * time.
	 * @param readTimeout at least 1 ms
	 * @return this
	 */
	public HttpConsulClientBuilder readTimeout(Duration readTimeout) {
		this.readTimeout = checked("readTimeout", readTimeout);
		return this;
	}

	/**
	 * How many requests for locks may be under way at once; more wait. Default: 64. All
	 * connections together should stay below the 200 that Consul allows to one client
	 * address: {@code maxConnections + maxWatches + 3}.
	 * @param maxConnections at least 1
	 * @return this
	 */
	public HttpConsulClientBuilder maxConnections(int maxConnections) {
		this.maxConnections = checked("maxConnections", maxConnections);
		return this;
	}

	/**
	 * How many watches of entries may be under way at once, beside one of a session.
	 * Default: 100.
	 * @param maxWatches at least 1
	 * @return this
	 */
	public HttpConsulClientBuilder maxWatches(int maxWatches) {
		this.maxWatches = checked("maxWatches", maxWatches);
		return this;
	}

	/**
	 * Builds the client. It connects when it is first used.
	 * @return the client
	 */
	public HttpConsulClient build() {
		return new HttpConsulClient(this);
	}

	private static Duration checked(String name, Duration value) {
		if (value.toMillis() < 1 || value.toMillis() > Integer.MAX_VALUE) {
			throw new IllegalArgumentException(
					name + " must be from 1 ms to " + Integer.MAX_VALUE + " ms, was " + value);
		}
		return value;
	}

	private static int checked(String name, int value) {
		if (value < 1) {
			throw new IllegalArgumentException(name + " must be at least 1, was " + value);
		}
		return value;
	}

	URI base() {
		return this.base;
	}

	ConsulScope scope() {
		return this.scope;
	}

	Supplier<@Nullable String> token() {
		return this.token;
	}

	/** None where the address is not https: it takes a while to make. */
	@Nullable TlsSocketStrategy tls() {
		if (!"https".equalsIgnoreCase(this.base.getScheme())) {
			return null;
		}
		return new DefaultClientTlsStrategy(sslContext(), this.tlsProtocols, this.tlsCiphers, SSLBufferMode.STATIC,
				HttpsSupport.getDefaultHostnameVerifier());
	}

	private SSLContext sslContext() {
		if (this.sslContext != null) {
			return this.sslContext;
		}
		try {
			return SSLContext.getDefault();
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("The JVM's default TLS settings are unusable: " + ex.getMessage()
					+ ". Check javax.net.ssl.trustStore and javax.net.ssl.keyStore.", ex);
		}
	}

	Duration connectTimeout() {
		return this.connectTimeout;
	}

	Duration readTimeout() {
		return this.readTimeout;
	}

	int maxConnections() {
		return this.maxConnections;
	}

	int maxWatches() {
		return this.maxWatches;
	}

}
