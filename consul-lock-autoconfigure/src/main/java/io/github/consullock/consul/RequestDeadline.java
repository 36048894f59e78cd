package io.github.consullock.consul;

import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Objects;

import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.Timeout;

/**
 * When the answer to a request is due. Whatever a request waits for on its way has a
 * timeout of its own in HttpClient: a free connection, the connect, the TLS handshake,
 * the answer. Each gets what those before it have left.
 *
 * @param due the time, by the monotonic clock
 */
record RequestDeadline(long due) {

	static RequestDeadline in(Duration timeout) {
		return new RequestDeadline(System.nanoTime() + timeout.toNanos());
	}

	static RequestDeadline of(HttpContext context) {
		return (RequestDeadline) Objects.requireNonNull(context.getAttribute(RequestDeadline.class.getName()));
	}

	void putInto(HttpContext context) {
		context.setAttribute(RequestDeadline.class.getName(), this);
	}

	/**
	 * What is left, in full milliseconds: 0 would be no timeout at all.
	 * @throws SocketTimeoutException if that is nothing
	 */
	Timeout remaining() throws SocketTimeoutException {
		long nanos = this.due - System.nanoTime();
		if (nanos <= 0) {
			throw new SocketTimeoutException("The time for the answer is over");
		}
		// Rounded up: who waits until the deadline must not come back before it.
		return Timeout.ofMilliseconds(Duration.ofNanos(nanos + 999_999).toMillis());
	}

	/** The shorter of what is left and a limit. */
	Timeout remaining(Timeout limit) throws SocketTimeoutException {
		Timeout remaining = remaining();
		return (limit.compareTo(remaining) < 0) ? limit : remaining;
	}

}
