package io.github.consullock.consul;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;

import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpClientConnection;
import org.apache.hc.core5.http.impl.io.SocketHolder;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * A connection that logs neither headers nor bytes: at debug level HttpClient's own would
 * write the ACL token into the log.
 */
final class SilentConnection extends DefaultBHttpClientConnection implements ManagedHttpClientConnection {

	private final AtomicBoolean closed = new AtomicBoolean();

	private volatile Timeout timeout = Timeout.INFINITE;

	SilentConnection() {
		super(Http1Config.DEFAULT);
	}

	@Override
	public void bind(Socket socket) throws IOException {
		bind(new SocketHolder(socket));
	}

	@Override
	public void bind(SSLSocket sslSocket, Socket socket) throws IOException {
		bind(new SocketHolder(sslSocket, socket));
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

	@Override
	public void setSocketTimeout(Timeout timeout) {
		super.setSocketTimeout(timeout);
		this.timeout = timeout;
	}

	@Override
	public void passivate() {
		super.setSocketTimeout(Timeout.ZERO_MILLISECONDS);
	}

	@Override
	public void activate() {
		super.setSocketTimeout(this.timeout);
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

}
