package io.github.consullock.consul;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.security.GeneralSecurityException;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.jspecify.annotations.Nullable;

/**
 * Tells what went wrong with a request, where, and which property to check. Decides what
 * trying again may cure ({@link ConsulUnavailableException}) and what it may not
 * ({@link ConsulRefusedException}).
 */
final class ConsulErrors {

	private static final String ADDRESS = "Check spring.cloud.consul.host and port, or consul.lock.connection.url.";

	private static final String BASE_PATH = "Check the path of consul.lock.connection.url, or spring.cloud.consul.path.";

	private static final String TLS = "Check consul.lock.connection.ssl-bundle, or spring.cloud.consul.tls.*, "
			+ "and the host name against the server's certificate.";

	private static final String SCHEME = "Check spring.cloud.consul.scheme, or the scheme of consul.lock.connection.url.";

	private static final String ACL = "Check the token: consul.lock.connection.token or token-file, else that of "
			+ "spring.cloud.consul (token, or discovery.acl-token). Its policy needs key_prefix \"<key prefix>\" "
			+ "{ policy = \"write\" } and, for the name of the agent's node, session_prefix \"<node>\" "
			+ "{ policy = \"write\" }; write includes read.";

	private static final int MAX_QUOTE = 300;

	private final URI base;

	ConsulErrors(URI base) {
		this.base = base;
	}

	ConsulUnavailableException interrupted(ConsulRequest request, @Nullable Throwable cause) {
		return new ConsulUnavailableException(what(request) + " was given up: the calling thread was interrupted",
				cause);
	}

	ConsulUnavailableException closed(ConsulRequest request) {
		return new ConsulUnavailableException(what(request) + " was given up: this client is closed");
	}

	/**
	 * For a request that got no complete answer.
	 * @param sent whether it may have reached the server, and have been carried out
	 */
	LockException of(ConsulRequest request, IOException ex, boolean sent) {
		boolean handshake = ex instanceof SSLHandshakeException || (ex instanceof SSLException && !sent);
		if (handshake && !causedBy(ex, SocketException.class) && !causedBy(ex, EOFException.class)
				&& !causedBy(ex, ClosedChannelException.class) && !causedBy(ex, SocketTimeoutException.class)) {
			return tls(request, ex);
		}
		return new ConsulUnavailableException(what(request) + " failed: " + reason(request, ex) + ". " + ADDRESS, ex);
	}

	private ConsulRefusedException tls(ConsulRequest request, IOException ex) {
		if (!causedBy(ex, GeneralSecurityException.class)
				&& String.valueOf(ex.getMessage()).startsWith("Unsupported or unrecognized SSL message")) {
			return new ConsulRefusedException(
					what(request) + " failed: the server does not speak TLS on this port. " + SCHEME, ex);
		}
		return new ConsulRefusedException(
				what(request) + " failed in the TLS handshake: " + ex.getMessage() + ". " + TLS, ex);
	}

	private static String reason(ConsulRequest request, IOException ex) {
		if (ex instanceof ConnectionRequestTimeoutException) {
			return "all connections were in use for too long";
		}
		if (ex instanceof ConnectTimeoutException) {
			return "no connection in time (" + ex.getMessage() + ")";
		}
		if (ex instanceof SocketTimeoutException || ex instanceof InterruptedIOException) {
			return "no answer within " + request.timeout().toMillis() + " ms";
		}
		if (ex instanceof UnknownHostException) {
			return "the host name is unknown (" + ex.getMessage() + ")";
		}
		if (ex instanceof NoHttpResponseException || ex instanceof ConnectionClosedException) {
			return "the server closed the connection before its answer was complete";
		}
		if (ex instanceof ClientProtocolException) {
			return "the answer is no HTTP. " + SCHEME;
		}
		return (ex.getMessage() != null) ? ex.getMessage() : ex.toString();
	}

	/**
	 * For a status that the request's outcomes do not cover.
	 */
	LockException of(ConsulRequest request, ConsulAnswer answer) {
		int status = answer.status();
		String text = answered(request, answer);
		// Answered 500, but it does not pass by itself.
		if (status == 500 && answer.body().contains("No path to datacenter")) {
			return new ConsulRefusedException(text + " No such datacenter is joined to this one: check the datacenter "
					+ "of the lock, consul.lock.connection.datacenter, and consul members -wan.");
		}
		if (status == 413 && TransactionTooLargeException.isTold(answer.body())) {
			return new TransactionTooLargeException(text + " Lock fewer keys at once.",
					TransactionTooLargeException.boundTold(answer.body()));
		}
		// 408 is what a proxy may say of a request that it has passed on.
		if ((status >= 500 && status != 501) || status == 429 || status == 408) {
			return new ConsulUnavailableException(text + switch (status) {
				case 429 -> " It limits the rate of requests, or the connections of a client.";
				default -> isMarkup(answer) ? " Is this Consul? " + ADDRESS : "";
			});
		}
		return refused(request, answer, switch (status) {
			case 301, 302, 307, 308 -> "A redirect is not followed"
					+ (request.path().startsWith("/v1/kv/")
							? ": a key must neither begin with / nor contain an empty, . or .. segment. " : ". ")
					+ BASE_PATH + " " + SCHEME;
			case 400 -> answer.body().contains("HTTP request to an HTTPS server") ? SCHEME
					: "Check the key and consul.lock.connection.datacenter, namespace and partition.";
			case 401, 403 -> ACL;
			case 404, 405 -> "This is no path of Consul's API. " + BASE_PATH + " " + ADDRESS;
			case 413 -> "The value is too large.";
			default -> "Is this Consul? " + ADDRESS;
		});
	}

	/**
	 * For an answer that has the right status and the wrong content.
	 */
	ConsulRefusedException unexpected(ConsulRequest request, ConsulAnswer answer, @Nullable Throwable cause) {
		return new ConsulRefusedException(
				answered(request, answer) + " That is not what Consul answers. " + ADDRESS + " " + BASE_PATH, cause);
	}

	ConsulRefusedException permissionDenied(ConsulRequest request, String key, String text) {
		return new ConsulRefusedException(
				what(request) + " was refused for key '" + LogText.withoutIds(key) + "': " + quote(text) + ". " + ACL);
	}

	ConsulRefusedException refused(ConsulRequest request, ConsulAnswer answer, String advice) {
		return new ConsulRefusedException(answered(request, answer) + " " + advice);
	}

	private String answered(ConsulRequest request, ConsulAnswer answer) {
		String body = isMarkup(answer) ? "(a page of HTML)" : answer.body().strip().replaceFirst("\\.$", "");
		return what(request) + " was answered " + answer.status() + (body.isEmpty() ? "." : ": " + quote(body) + ".");
	}

	/** Consul answers in JSON or plain text. */
	private static boolean isMarkup(ConsulAnswer answer) {
		return answer.body().stripLeading().startsWith("<");
	}

	private String what(ConsulRequest request) {
		return request.method() + " " + LogText.withoutIds(request.path()) + " at " + this.base;
	}

	private static String quote(String text) {
		// Not cut before: part of an id would stay.
		String start = text.substring(0, Math.min(text.length(), 10 * MAX_QUOTE));
		String line = LogText.withoutIds(LogText.onOneLine(start));
		return (line.length() <= MAX_QUOTE) ? line : line.substring(0, MAX_QUOTE) + "...";
	}

	private static boolean causedBy(Throwable ex, Class<? extends Throwable> type) {
		for (Throwable cause = ex; cause != null; cause = cause.getCause()) {
			if (type.isInstance(cause)) {
				return true;
			}
		}
		return false;
	}

}
