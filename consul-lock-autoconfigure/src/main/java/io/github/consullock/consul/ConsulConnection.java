package io.github.consullock.consul;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpClientConnection;
import org.apache.hc.core5.http.impl.io.DefaultHttpResponseParserFactory;
import org.apache.hc.core5.http.impl.io.SocketHolder;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * A connection that bounds the time of an answer as a whole, where a socket's timeout
 * bounds each read alone. It logs neither headers nor bytes: at debug level HttpClient's
 * own would write the ACL token into the log.
 */
final class ConsulConnection extends DefaultBHttpClientConnection implements ManagedHttpClientConnection {

	private static final Http1Config HTTP = Http1Config.custom().setMaxLineLength(16384).setMaxHeaderCount(100).build();

	private final AtomicBoolean closed = new AtomicBoolean();

	private volatile Timeout timeout = Timeout.INFINITE;

	private volatile boolean bounded;

	private volatile long deadline;

	ConsulConnection() {
		// The parser that it has by itself does not count headers.
		super(HTTP, null, null, null, null, null, new DefaultHttpResponseParserFactory(HTTP));
	}

	@Override
	public void bind(Socket socket) throws IOException {
		bind(new BoundedSocketHolder(socket));
	}

	@Override
	public void bind(SSLSocket sslSocket, Socket socket) throws IOException {
		bind(new BoundedSocketHolder(sslSocket, socket));
	}

	@Override
	protected void bind(SocketHolder socketHolder) throws IOException {
		// Closed while it was connecting: the new socket must not outlive that.
		if (this.closed.get()) {
			socketHolder.getSocket().close();
			throw new InterruptedIOException("The connection is closed");
		}
		super.bind(socketHolder);
		this.timeout = Timeout.ofMilliseconds(socketHolder.getSocket().getSoTimeout());
	}

	@Override
	public @Nullable Socket getSocket() {
		SocketHolder holder = getSocketHolder();
		return (holder != null) ? holder.getSocket() : null;
	}

	@Override
	public @Nullable SSLSession getSSLSession() {
		return (getSocket() instanceof SSLSocket sslSocket) ? sslSocket.getSession() : null;
	}

	/**
	 * Called when a request begins, with the time that its answer may take.
	 */
	@Override
	public void setSocketTimeout(Timeout timeout) {
		super.setSocketTimeout(timeout);
		this.timeout = timeout;
		this.deadline = System.nanoTime() + timeout.toNanoseconds();
		this.bounded = !timeout.isDisabled();
	}

	@Override
	public void passivate() {
		this.bounded = false;
		super.setSocketTimeout(Timeout.ZERO_MILLISECONDS);
	}

	@Override
	public void activate() {
		super.setSocketTimeout(this.timeout);
	}

	private void beforeRead(Socket socket) throws IOException {
		if (!this.bounded) {
			return;
		}
		long remaining = TimeUnit.NANOSECONDS.toMillis(this.deadline - System.nanoTime());
		if (remaining <= 0) {
			throw new SocketTimeoutException("The answer was not complete after " + this.timeout);
		}
		if (socket.getSoTimeout() == 0 || socket.getSoTimeout() > remaining) {
			socket.setSoTimeout((int) remaining);
		}
	}

	@Override
	public void close() throws IOException {
		if (this.closed.compareAndSet(false, true)) {
			super.close();
		}
	}

	@Override
	public void close(CloseMode closeMode) {
		if (this.closed.compareAndSet(false, true)) {
			super.close(closeMode);
		}
	}

	private final class BoundedSocketHolder extends SocketHolder {

		BoundedSocketHolder(Socket socket) {
			super(socket);
		}

		BoundedSocketHolder(SSLSocket sslSocket, Socket socket) {
			super(sslSocket, socket);
		}

		@Override
		protected InputStream getInputStream(Socket socket) throws IOException {
			return new FilterInputStream(super.getInputStream(socket)) {

				@Override
				public int read() throws IOException {
					beforeRead(socket);
					return super.read();
				}

				@Override
				public int read(byte[] buffer, int offset, int length) throws IOException {
					beforeRead(socket);
					return super.read(buffer, offset, length);
				}

			};
		}

	}

}
