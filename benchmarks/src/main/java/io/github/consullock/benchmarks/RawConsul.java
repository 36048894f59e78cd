package io.github.consullock.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * A kept connection to Consul, and the least that can be done on it: a request as bytes,
 * an answer as text. For use by one thread; takes short answers only, which are not
 * chunked.
 */
final class RawConsul implements AutoCloseable {

	private static final byte[] END_OF_HEADER = { '\r', '\n', '\r', '\n' };

	private final Socket socket;

	private final InputStream input;

	private final String host;

	private byte[] buffer = new byte[4096];

	RawConsul(URI address) throws IOException {
		this.socket = new Socket(address.getHost(), address.getPort());
		this.socket.setTcpNoDelay(true);
		this.input = this.socket.getInputStream();
		this.host = address.getAuthority();
	}

	String put(String path, String body) throws IOException {
		send("PUT", path, body);
		return receive();
	}

	String get(String path) throws IOException {
		send("GET", path, "");
		return receive();
	}

	/** A transaction that must be applied; returns the index of its last result. */
	long transact(String... operations) throws IOException {
		String answer = put("/v1/txn", "[" + String.join(",", operations) + "]");
		if (!answer.startsWith("HTTP/1.1 200")) {
			throw new IOException(answer);
		}
		return modifyIndex(answer);
	}

	void send(String method, String path, String body) throws IOException {
		String request = method + " " + path + " HTTP/1.1\r\nHost: " + this.host
				+ "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
		this.socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
	}

	/** Status line, header and body. */
	String receive() throws IOException {
		int count = 0;
		int length = -1;
		while (length < 0 || count < length) {
			if (count == this.buffer.length) {
				this.buffer = Arrays.copyOf(this.buffer, 2 * count);
			}
			int read = this.input.read(this.buffer, count, this.buffer.length - count);
			if (read < 0) {
				throw new IOException("Consul has closed the connection");
			}
			count += read;
			if (length < 0) {
				int headerEnd = indexOf(END_OF_HEADER, count);
				if (headerEnd >= 0) {
					String header = new String(this.buffer, 0, headerEnd + 2, StandardCharsets.ISO_8859_1);
					length = headerEnd + END_OF_HEADER.length + (int) number(header, "Content-Length:");
				}
			}
		}
		return new String(this.buffer, 0, count, StandardCharsets.ISO_8859_1);
	}

	private int indexOf(byte[] wanted, int count) {
		for (int i = 0; i + wanted.length <= count; i++) {
			if (Arrays.equals(this.buffer, i, i + wanted.length, wanted, 0, wanted.length)) {
				return i;
			}
		}
		return -1;
	}

	static long modifyIndex(String answer) {
		return (answer.indexOf("\"ModifyIndex\":") >= 0) ? number(answer, "\"ModifyIndex\":") : 0;
	}

	/** What follows the last mark. */
	private static long number(String text, String mark) {
		int found = text.lastIndexOf(mark);
		if (found < 0) {
			throw new IllegalArgumentException("No " + mark + " in: " + text);
		}
		int start = found + mark.length();
		// Consul's development mode prints its JSON for people.
		while (text.charAt(start) == ' ') {
			start++;
		}
		int end = start;
		while (end < text.length() && Character.isDigit(text.charAt(end))) {
			end++;
		}
		return Long.parseLong(text.substring(start, end));
	}

	/** A session as this library makes it, but so long that it need not be renewed. */
	String createSession() throws IOException {
		String answer = put("/v1/session/create",
				"{\"Name\":\"floor\",\"TTL\":\"1h\",\"LockDelay\":\"25s\",\"Behavior\":\"release\",\"NodeChecks\":[]}");
		return answer.replaceAll("(?s).*\"ID\":\\s*\"([^\"]+)\".*", "$1");
	}

	static String check(String key, long index) {
		return operation("check-index", key, ",\"Index\":" + index);
	}

	static String checkNotExists(String key) {
		return operation("check-not-exists", key, "");
	}

	static String set(String key, String value) {
		return operation("set", key,
				",\"Value\":\"" + Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8)) + "\"");
	}

	static String delete(String key) {
		return operation("delete", key, "");
	}

	static String deleteCas(String key, long index) {
		return operation("delete-cas", key, ",\"Index\":" + index);
	}

	/** The verb is lock or unlock. */
	static String lock(String verb, String key, String session, String value) {
		return operation(verb, key,
				",\"Value\":\"" + Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8))
						+ "\",\"Flags\":3304740253564472344,\"Session\":\"" + session + "\"");
	}

	private static String operation(String verb, String key, String rest) {
		return "{\"KV\":{\"Verb\":\"" + verb + "\",\"Key\":\"" + key + "\"" + rest + "}}";
	}

	@Override
	public void close() throws IOException {
		this.socket.close();
	}

}
