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

/**
 * Gives a server another address.
 */
final class RelayServer implements AutoCloseable {

	private final ServerSocket server;

	private final URI target;

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

	private void accept() {
		try {
			while (true) {
				Socket client = this.server.accept();
				this.sockets.add(client);
				Socket upstream = new Socket(this.target.getHost(), this.target.getPort());
				this.sockets.add(upstream);
				start(() -> pump(client, upstream));
				start(() -> pump(upstream, client));
			}
		}
		catch (IOException ex) {
			// Closed.
		}
	}

	private static void pump(Socket from, Socket to) {
		try (from; to) {
			InputStream in = from.getInputStream();
			OutputStream out = to.getOutputStream();
			in.transferTo(out);
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
