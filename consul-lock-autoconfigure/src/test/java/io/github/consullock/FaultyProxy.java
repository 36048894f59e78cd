package io.github.consullock;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and Consul, request by request: counts them, loses answers,
 * holds copies back to deliver them late, and falls silent. What a real network does, at
 * chosen moments.
 */
public final class FaultyProxy implements AutoCloseable {

	/**
	 * One request as it went over the wire.
	 */
	public record Request(String method, String path, String body, byte[] bytes) {

		public boolean isTransaction() {
			return this.path.startsWith("/v1/txn");
		}

		public boolean isAbout(String key) {
			return this.path.endsWith("/" + key) || this.path.contains("/" + key + "?") || contains(key);
		}

		public boolean contains(String verb) {
			return this.body.contains("\"" + verb + "\"");
		}

	}

	/**
	 * What is to happen to a request.
	 */
	public enum Fault {

		/** Consul gets it, the client gets no answer: the connection is closed. */
		LOSE_ANSWER,

		/** As {@link #LOSE_ANSWER}, but the connection is reset. */
		RESET,

		/** As {@link #LOSE_ANSWER}, but the connection stays open. */
		STALL,

		/** Consul never gets it, and the connection is closed. */
		LOSE_REQUEST,

		/**
		 * Consul does not get it before {@link #deliverLate}; the client gets no answer.
		 */
		HOLD_BACK,

		/** Consul gets it now and once more later; the client gets no answer. */
		DUPLICATE

	}

	private static final byte[] NO_LEADER = ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 17\r\n\r\n"
			+ "No cluster leader")
		.getBytes(StandardCharsets.US_ASCII);

	private record Rule(Predicate<Request> condition, Fault fault) {
	}

	private final URI consul;

	private final ServerSocket server;

	private final List<Request> requests = new CopyOnWriteArrayList<>();

	private final List<Request> late = new CopyOnWriteArrayList<>();

	private final List<Rule> rules = new CopyOnWriteArrayList<>();

	private final List<Socket> sockets = new CopyOnWriteArrayList<>();

	private volatile Predicate<Request> refused = (request) -> false;

	private volatile boolean silent;

	private volatile int slowMillis;

	public FaultyProxy(URI consul) throws IOException {
		this.consul = consul;
		this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		start(this::accept);
	}

	public URI uri() {
		return URI.create("http://127.0.0.1:" + this.server.getLocalPort());
	}

	/** The next request that fits meets this fault; once. */
	public void next(Predicate<Request> condition, Fault fault) {
		this.rules.add(new Rule(condition, fault));
	}

	/**
	 * From now on nothing passes: connections stay open, new ones are accepted, and both
	 * sides hear nothing of each other.
	 */
	public void fallSilent() {
		this.silent = true;
	}

	/** From now on each request, and each answer, takes up to so much longer. */
	public void slowDown(Duration most) {
		this.slowMillis = (int) most.toMillis();
	}

	/**
	 * From now on every request that fits is answered with status 500, as by a Consul
	 * without a leader.
	 */
	public void refuse(Predicate<Request> condition) {
		this.refused = condition;
	}

	/** Whether every fault that was asked for has happened. */
	public boolean isDone() {
		return this.rules.isEmpty();
	}

	public List<Request> requests() {
		return List.copyOf(this.requests);
	}

	/** Whether anything is held back. */
	public boolean hasLate() {
		return !this.late.isEmpty();
	}

	/** Sends what was held back; returns the answers' status lines. */
	public List<String> deliverLate() throws IOException {
		List<String> answers = new java.util.ArrayList<>();
		for (Request request : this.late) {
			try (Socket upstream = connect()) {
				Message answer = exchange(request, upstream);
				answers.add((answer != null) ? answer.firstLine() : "none");
			}
		}
		this.late.clear();
		return answers;
	}

	private void accept() {
		while (!this.server.isClosed()) {
			try {
				Socket client = this.server.accept();
				this.sockets.add(client);
				start(() -> serve(client));
			}
			catch (IOException ex) {
				return;
			}
		}
	}

	private void serve(Socket client) {
		try (client; Socket upstream = connect()) {
			this.sockets.add(upstream);
			Message message;
			while ((message = read(client.getInputStream(), true)) != null) {
				String[] words = message.firstLine().split(" ");
				Request request = new Request(words[0], words[1], message.body(), message.bytes());
				this.requests.add(request);
				Optional<Rule> rule = this.rules.stream().filter((r) -> r.condition().test(request)).findFirst();
				if (rule.isPresent() && this.rules.remove(rule.get())) {
					inflict(rule.get().fault(), request, client, upstream);
					return;
				}
				if (this.refused.test(request)) {
					client.getOutputStream().write(NO_LEADER);
					continue;
				}
				pause();
				Message answer = this.silent ? null : exchange(request, upstream);
				pause();
				if (this.silent) {
					client.getInputStream().transferTo(OutputStream.nullOutputStream());
					return;
				}
				if (answer == null) {
					return;
				}
				client.getOutputStream().write(answer.bytes());
			}
		}
		catch (IOException ex) {
			// One side has closed: so does the other.
		}
	}

	private void pause() throws InterruptedIOException {
		if (this.slowMillis > 0) {
			try {
				Thread.sleep(ThreadLocalRandom.current().nextInt(this.slowMillis));
			}
			catch (InterruptedException ex) {
				throw new InterruptedIOException();
			}
		}
	}

	private void inflict(Fault fault, Request request, Socket client, Socket upstream) throws IOException {
		if (fault != Fault.HOLD_BACK && fault != Fault.LOSE_REQUEST) {
			exchange(request, upstream);
		}
		switch (fault) {
			case HOLD_BACK, DUPLICATE -> this.late.add(request);
			case RESET -> client.setSoLinger(true, 0);
			case STALL -> client.getInputStream().transferTo(OutputStream.nullOutputStream());
			default -> {
			}
		}
	}

	/** Null if Consul closes the connection instead of answering. */
	private static @Nullable Message exchange(Request request, Socket upstream) throws IOException {
		upstream.getOutputStream().write(request.bytes());
		return read(upstream.getInputStream(), false);
	}

	private Socket connect() throws IOException {
		return new Socket(this.consul.getHost(), this.consul.getPort());
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task, "faulty-proxy");
		thread.setDaemon(true);
		thread.start();
	}

	private record Message(String firstLine, String body, byte[] bytes) {
	}

	/** A message with a fixed length, or an answer in chunks; null at the end. */
	private static @Nullable Message read(InputStream in, boolean request) throws IOException {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		String head = "";
		while (!head.endsWith("\r\n\r\n")) {
			int next = in.read();
			if (next < 0) {
				return null;
			}
			bytes.write(next);
			head += (char) next;
		}
		int length = 0;
		boolean chunked = false;
		for (String line : head.split("\r\n")) {
			String lower = line.toLowerCase(Locale.ROOT);
			if (lower.startsWith("content-length:")) {
				length = Integer.parseInt(lower.substring(15).trim());
			}
			chunked |= lower.startsWith("transfer-encoding:") && lower.contains("chunked");
		}
		if (chunked && request) {
			throw new IOException("A chunked request, which Consul would not read: " + head);
		}
		byte[] body = in.readNBytes(length);
		bytes.writeBytes(body);
		while (chunked) {
			String size = "";
			while (!size.endsWith("\r\n")) {
				int next = in.read();
				bytes.write(next);
				size += (char) next;
			}
			int chunk = Integer.parseInt(size.trim(), 16);
			bytes.writeBytes(in.readNBytes(chunk + 2));
			chunked = chunk > 0;
		}
		return new Message(head.substring(0, head.indexOf('\r')), new String(body, StandardCharsets.UTF_8),
				bytes.toByteArray());
	}

	@Override
	public void close() {
		try {
			this.server.close();
			for (Socket socket : this.sockets) {
				socket.close();
			}
		}
		catch (IOException ex) {
			throw new java.io.UncheckedIOException(ex);
		}
	}

}
