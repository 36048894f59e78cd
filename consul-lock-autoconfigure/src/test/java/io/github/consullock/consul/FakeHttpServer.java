package io.github.consullock.consul;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Answers what a real Consul does not, or only at a bad moment: raw bytes, at the pace of
 * the test.
 */
final class FakeHttpServer implements AutoCloseable {

	private final ServerSocket server;

	private final Script script;

	private final List<Socket> sockets = new CopyOnWriteArrayList<>();

	private final List<String> requests = new CopyOnWriteArrayList<>();

	private final AtomicInteger connections = new AtomicInteger();

	private final CountDownLatch closed = new CountDownLatch(1);

	private FakeHttpServer(Script script) throws IOException {
		this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		this.script = script;
		start(this::accept);
	}

	/**
	 * Lets a script answer each request.
	 */
	static FakeHttpServer running(Script script) throws IOException {
		return new FakeHttpServer(script);
	}

	/**
	 * Answers each request with these bytes.
	 */
	static FakeHttpServer answering(String answer) throws IOException {
		return new FakeHttpServer((number, exchange) -> exchange.write(answer));
	}

	/**
	 * Reads requests and never answers.
	 */
	static FakeHttpServer silent() throws IOException {
		return new FakeHttpServer((number, exchange) -> exchange.awaitClose());
	}

	/**
	 * An answer with its length.
	 */
	static String answer(String status, String body) {
		return "HTTP/1.1 " + status + "\r\nContent-Length: " + body.getBytes(StandardCharsets.UTF_8).length
				+ "\r\nX-Consul-Index: 7\r\n\r\n" + body;
	}

	URI uri() {
		return URI.create("http://127.0.0.1:" + this.server.getLocalPort());
	}

	/**
	 * The requests so far: request line and headers, then the body.
	 */
	List<String> requests() {
		return this.requests;
	}

	int connections() {
		return this.connections.get();
	}

	private void accept() {
		try {
			while (true) {
				Socket socket = this.server.accept();
				this.sockets.add(socket);
				this.connections.incrementAndGet();
				start(() -> serve(socket));
			}
		}
		catch (IOException ex) {
			// Closed.
		}
	}

	private void serve(Socket socket) {
		try (socket) {
			BufferedReader reader = new BufferedReader(
					new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
			Exchange exchange = new Exchange(socket, this.closed);
			while (true) {
				String request = read(reader);
				if (request.isEmpty()) {
					return;
				}
				this.requests.add(request);
				this.script.answer(this.requests.size(), exchange);
			}
		}
		catch (IOException ex) {
			// The client's side of it is what the test looks at.
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static String read(BufferedReader reader) throws IOException {
		StringBuilder request = new StringBuilder();
		int length = 0;
		for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
			request.append(line).append('\n');
			if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
				length = Integer.parseInt(line.substring(15).trim());
			}
		}
		for (int i = 0; i < length; i++) {
			request.append((char) reader.read());
		}
		return request.toString();
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task, "fake-http-server");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() throws IOException {
		this.closed.countDown();
		this.server.close();
		for (Socket socket : this.sockets) {
			socket.close();
		}
	}

	/**
	 * What to answer.
	 */
	interface Script {

		/**
		 * Answers a request.
		 * @param number which it is, over all connections, from 1
		 */
		void answer(int number, Exchange exchange) throws IOException, InterruptedException;

	}

	/**
	 * A connection on which a request waits.
	 */
	record Exchange(Socket socket, CountDownLatch closed) {

		void write(String text) throws IOException {
			OutputStream out = this.socket.getOutputStream();
			out.write(text.getBytes(StandardCharsets.UTF_8));
			out.flush();
		}

		void reset() throws IOException {
			this.socket.setSoLinger(true, 0);
			this.socket.close();
		}

		void awaitClose() throws InterruptedException {
			this.closed.await();
		}

	}

}
