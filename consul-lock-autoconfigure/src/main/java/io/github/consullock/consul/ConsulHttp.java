package io.github.consullock.consul;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.LockException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.routing.RoutingSupport;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.net.URIAuthority;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests: puts the settings of the connection into each, and turns what goes
 * wrong on the way into the library's exceptions. A server's answer, whatever its status,
 * is the caller's to judge.
 */
final class ConsulHttp {

	private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();

	private static final Header USER_AGENT = new BasicHeader(HttpHeaders.USER_AGENT, "consul-lock");

	private static final Header JSON = new BasicHeader(HttpHeaders.CONTENT_TYPE,
			ContentType.APPLICATION_JSON.getMimeType());

	private static final byte[] NOTHING = new byte[0];

	private final HttpRoute route;

	private final Header host;

	private final String basePath;

	private final String settings;

	private final Supplier<@Nullable String> token;

	private final ConsulErrors errors;

	private final AtomicBoolean closed;

	/**
	 * Creates a sender.
	 * @param settings the query parameters that every request carries, encoded
	 */
	ConsulHttp(URI base, String settings, Supplier<@Nullable String> token, ConsulErrors errors) {
		HttpHost target = new HttpHost(base.getScheme(), base.getHost(), base.getPort());
		this.route = new HttpRoute(RoutingSupport.normalize(target, DefaultSchemePortResolver.INSTANCE), null,
				"https".equals(target.getSchemeName()));
		this.host = new BasicHeader(HttpHeaders.HOST, new URIAuthority(target).toString());
		String path = (base.getRawPath() != null) ? base.getRawPath() : "";
		this.basePath = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
		this.settings = settings;
		this.token = token;
		this.errors = errors;
		this.closed = new AtomicBoolean();
	}

	private ConsulHttp(ConsulHttp origin, String settings) {
		this.route = origin.route;
		this.host = origin.host;
		this.basePath = origin.basePath;
		this.settings = settings;
		this.token = origin.token;
		this.errors = origin.errors;
		this.closed = origin.closed;
	}

	/**
	 * A sender with other settings, closed together with this one.
	 */
	ConsulHttp with(String settings) {
		return new ConsulHttp(this, settings);
	}

	ConsulAnswer send(HttpLane lane, ConsulRequest request) {
		if (this.closed.get()) {
			throw this.errors.closed(request);
		}
		if (Thread.currentThread().isInterrupted()) {
			throw this.errors.interrupted(request, null);
		}
		String aclToken = token();
		HttpClientContext context = HttpClientContext.create();
		try {
			return sendOrRepeat(lane, request, aclToken, context);
		}
		catch (IOException ex) {
			throw given(request, ex, this.errors.of(request, ex, HttpLane.isSent(context)));
		}
		catch (IllegalStateException ex) {
			// A pool that is shut down says so like this.
			throw given(request, ex, ex);
		}
	}

	private RuntimeException given(ConsulRequest request, Exception ex, RuntimeException otherwise) {
		if (Thread.currentThread().isInterrupted()) {
			return this.errors.interrupted(request, ex);
		}
		return this.closed.get() ? this.errors.closed(request) : otherwise;
	}

	private ConsulAnswer sendOrRepeat(HttpLane lane, ConsulRequest request, @Nullable String aclToken,
			HttpClientContext context) throws IOException {
		RequestDeadline deadline = RequestDeadline.in(request.timeout());
		long start = System.nanoTime();
		try {
			return lane.send(this.route, message(request, aclToken), deadline, context);
		}
		catch (NoHttpResponseException | SocketException ex) {
			if (!mayRepeat(request, ex, context, start)) {
				throw ex;
			}
			return lane.send(this.route, message(request, aclToken), deadline, HttpClientContext.create());
		}
	}

	/**
	 * A connection that the server had closed while it was idle says nothing about the
	 * server; but a write may have been applied nevertheless, and is never repeated.
	 */
	private boolean mayRepeat(ConsulRequest request, IOException ex, HttpClientContext context, long start) {
		return request.isRead() && !this.closed.get() && !Thread.currentThread().isInterrupted()
				&& !(ex instanceof ConnectException) && HttpLane.reusedConnection(context)
				&& System.nanoTime() - start < FRESH_NANOS;
	}

	private ClassicHttpRequest message(ConsulRequest request, @Nullable String aclToken) {
		BasicClassicHttpRequest message = new BasicClassicHttpRequest(request.method(), this.route.getTargetHost(),
				target(request));
		message.addHeader(this.host);
		message.addHeader(USER_AGENT);
		if (aclToken != null) {
			message.addHeader("X-Consul-Token", aclToken);
		}
		if (!request.isRead()) {
			// Consul ignores a chunked body, so the length must be known, zero included.
			byte[] body = (request.body() != null) ? request.body() : NOTHING;
			message.addHeader(JSON);
			message.addHeader(HttpHeaders.CONTENT_LENGTH, body.length);
			message.setEntity(new ByteArrayEntity(body, null));
		}
		return message;
	}

	private String target(ConsulRequest request) {
		String query = request.query();
		if (!query.isEmpty() && !this.settings.isEmpty()) {
			query += "&";
		}
		query += this.settings;
		String path = this.basePath + request.path();
		return query.isEmpty() ? path : path + "?" + query;
	}

	private @Nullable String token() {
		String text;
		try {
			text = this.token.get();
		}
		catch (LockException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			throw new ConsulRefusedException(
					"The ACL token for Consul could not be had: " + ex + ". Check consul.lock.connection.token-file.",
					ex);
		}
		if (text == null || text.isBlank()) {
			return null;
		}
		text = text.strip();
		if (text.chars().anyMatch((ch) -> ch <= ' ' || ch > '~')) {
			// Never quote it.
			throw new ConsulRefusedException("The ACL token for Consul contains characters that no token can have"
					+ " (a line break, a space, or beyond ASCII). Check consul.lock.connection.token or token-file.");
		}
		return text;
	}

	void close() {
		this.closed.set(true);
	}

}
