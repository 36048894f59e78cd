package io.github.consullock.consul;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Gives a server another address.
 */
final class RelayServer implements AutoCloseable {

	private final ServerSocket server;

	private final URI target;

	private final AtomicBoolean corrupting = new AtomicBoolean();

	private final List<Socket> sockets = new CopyOnWriteArrayList<>();

	private RelayServer(String address, URI target) throws IOException {
		this.server = new ServerSocket(0, 50, InetAddress.getByName(address));
		this.target = target;
		start(this::accept);
	}

	static RelayServer start(String address, URI target) throws IOException {
		return new RelayServer(address, target);
	}

	int port() {
		return this.server.getLocalPort();
	}

	/** Changes the last byte of what the server says next. */
	void corruptNextAnswer() {
		this.corrupting.set(true);
	}

	private void accept() {
		try {
			while (true) {
				Socket client = this.server.accept();
				this.sockets.add(client);
				Socket upstream = new Socket(this.target.getHost(), this.target.getPort());
				this.sockets.add(upstream);
				start(() -> pump(client, upstream, false));
				start(() -> pump(upstream, client, true));
			}
		}
		catch (IOException ex) {
			// Closed.
		}
	}

	private void pump(Socket from, Socket to, boolean answers) {
		try (from; to) {
			InputStream in = from.getInputStream();
			OutputStream out = to.getOutputStream();
			byte[] buffer = new byte[16384];
			for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
				if (answers && this.corrupting.compareAndSet(true, false)) {
					buffer[count - 1] ^= 1;
				}
				out.write(buffer, 0, count);
			}
		}
		catch (IOException ex) {
			// One side has closed it.
		}
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task, "relay-server");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() throws IOException {
		this.server.close();
		for (Socket socket : this.sockets) {
			socket.close();
		}
	}

}
