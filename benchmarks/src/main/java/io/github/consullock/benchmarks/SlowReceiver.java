package io.github.consullock.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.Semaphore;

/**
 * Takes HTTP requests and never answers them.
 */
final class SlowReceiver implements AutoCloseable {

	private final ServerSocket server;

	private final Semaphore received = new Semaphore(0);

	private SlowReceiver(ServerSocket server) {
		this.server = server;
	}

	static SlowReceiver start() {
		try {
			SlowReceiver receiver = new SlowReceiver(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()));
			Thread thread = new Thread(receiver::accept, "slow-receiver");
			thread.setDaemon(true);
			thread.start();
			return receiver;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	URI address() {
		return URI.create("http://127.0.0.1:" + this.server.getLocalPort() + "/");
	}

	/** Waits for the next request. */
	void awaitRequest() throws InterruptedException {
		this.received.acquire();
	}

	private void accept() {
		while (!this.server.isClosed()) {
			try {
				Socket socket = this.server.accept();
				if (socket.getInputStream().read() >= 0) {
					this.received.release();
				}
			}
			catch (IOException ex) {
				return;
			}
		}
	}

	@Override
	public void close() throws IOException {
		this.server.close();
	}

}
