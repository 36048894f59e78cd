package io.github.consullock.sample;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.jspecify.annotations.Nullable;

/**
 * A receiver that belongs to no instance, so that all instances can deliver to it and
 * none of them takes it along when it is killed.
 */
public final class ReceiverServer implements AutoCloseable {

	private final SlowReceiver receiver = new SlowReceiver();

	private final ExecutorService threads = Executors.newCachedThreadPool((task) -> {
		Thread thread = new Thread(task, "receiver");
		thread.setDaemon(true);
		return thread;
	});

	private final HttpServer server;

	private volatile Duration duration;

	private ReceiverServer(HttpServer server, Duration duration) {
		this.server = server;
		this.duration = duration;
	}

	/**
	 * Starts a receiver on a free port.
	 * @param duration how long it takes for a webhook
	 * @return the running receiver
	 */
	public static ReceiverServer start(Duration duration) {
		try {
			HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
			ReceiverServer receiver = new ReceiverServer(server, duration);
			server.setExecutor(receiver.threads);
			server.createContext("/", receiver::receive);
			server.start();
			return receiver;
		}
		catch (IOException ex) {
			throw new UncheckedIOException("The receiver could not be started", ex);
		}
	}

	private void receive(HttpExchange exchange) throws IOException {
		try (exchange) {
			exchange.getRequestBody().readAllBytes();
			String token = header(exchange, WebhookDelivery.FENCING_TOKEN_HEADER);
			exchange.sendResponseHeaders(200, 0);
			this.receiver.receive(exchange.getRequestURI().getPath(), header(exchange, WebhookDelivery.INSTANCE_HEADER),
					(token != null) ? Long.valueOf(token) : null, this.duration, exchange.getResponseBody());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static @Nullable String header(HttpExchange exchange, String name) {
		return exchange.getRequestHeaders().getFirst(name);
	}

	/**
	 * Where it listens.
	 * @param name a name to tell receivers apart
	 * @return the URL to deliver to
	 */
	public URI url(String name) {
		return URI.create("http://127.0.0.1:%d/%s".formatted(this.server.getAddress().getPort(), name));
	}

	/**
	 * Changes how long it takes, from the next webhook on.
	 * @param duration how long
	 */
	public void takes(Duration duration) {
		this.duration = duration;
	}

	List<ReceiverCall> calls() {
		return this.receiver.calls();
	}

	@Override
	public void close() {
		this.server.stop(0);
		this.threads.shutdownNow();
	}

}
