package io.github.consullock.consul;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockException;
import io.github.consullock.consul.FakeHttpServer.Exchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

/**
 * A server that wants to do harm: what it costs is bounded, in time by the request's
 * timeout, and in memory by what is read of it. How much that was, the server sees.
 */
@Timeout(120)
class HostileServerTests {

	private static final long MEGABYTE = 1024 * 1024;

	/** What the two sockets and their buffers may hold beyond what is read. */
	private static final long ON_ITS_WAY = 16 * MEGABYTE;

	private static final Duration SHORT = Duration.ofSeconds(3);

	private static final Duration LONG = Duration.ofMinutes(1);

	private static final String FILLING = "x".repeat(8192);

	private static final String CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

	private final AtomicLong written = new AtomicLong();

	static Stream<Arguments> endless() {
		return Stream.of(argumentSet("a line of a header", "HTTP/1.1 200 OK\r\nX: ", FILLING, 1),
				argumentSet("headers", "HTTP/1.1 200 OK\r\n", "X: " + FILLING + "\r\n", 4),
				argumentSet("small headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n".repeat(1000), 1),
				argumentSet("a folded header", "HTTP/1.1 200 OK\r\nX: y\r\n", " " + FILLING + "\r\n", 4),
				argumentSet("a status line", "HTTP/1.1 200 ", FILLING, 1),
				argumentSet("no line at all", "", FILLING, 1), argumentSet("lines of nothing", "", "x\r\n", 1),
				argumentSet("empty lines", "", "\r\n".repeat(1000), 1),
				argumentSet("a size of a chunk", CHUNKED, "0".repeat(8192), 1),
				argumentSet("an extension of a chunk", CHUNKED + "1;", FILLING, 1),
				argumentSet("trailers", CHUNKED + "0\r\n", "X: " + FILLING + "\r\n", 4));
	}

	@ParameterizedTest
	@MethodSource("endless")
	void anAnswerWithoutEndIsGivenUpAfterItsFirstMegabytes(String start, String more, int megabytes)
			throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> pour(exchange, start, more));
				HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			assertThatExceptionOfType(LockException.class).isThrownBy(() -> client.read("k", LONG))
				.satisfies((ex) -> assertThat(ex.getMessage()).hasSizeLessThan(2000));
			assertThat(this.written.get()).isLessThan(megabytes * MEGABYTE + ON_ITS_WAY);
			assertThat(client.leasedConnections()).isZero();
		}
	}

	@Test
	void aBodyWithoutEndIsGivenUpAtItsBound() throws IOException {
		String chunk = "2000\r\n" + FILLING + "\r\n";
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> pour(exchange, CHUNKED, chunk));
				HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", LONG));
			assertThat(this.written.get()).isLessThan(65 * MEGABYTE + ON_ITS_WAY);
			assertThat(client.leasedConnections()).isZero();
		}
	}

	@Test
	void errorPagesOfAnySizeMakeMessagesOfALine() throws IOException {
		String page = ("line \u001b[31m of an error\r\n" + FILLING + "\u2028").repeat(1000);
		for (String status : List.of("500 Internal Server Error", "403 Forbidden", "400 Bad Request", "409 Conflict",
				"404 Not Found", "200 OK", "413 Too Large")) {
			try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer(status, page));
					HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
				assertThatExceptionOfType(LockException.class)
					.isThrownBy(() -> client.transact(List.of(KvOperation.checkNotExists("k")), LONG))
					.satisfies((ex) -> assertThat(ex.getMessage()).hasSizeLessThan(2000).doesNotContain("\u001b"))
					.satisfies((ex) -> assertThat(ex.getMessage().lines()).hasSize(1));
			}
		}
	}

	static Stream<Arguments> slow() {
		return Stream.of(argumentSet("its status line", "HTTP/1.1 200 OK", "x"),
				argumentSet("its headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
				argumentSet("its body", CHUNKED, "1\r\nx\r\n"),
				argumentSet("its trailers", CHUNKED + "0\r\n", "X: y\r\n"),
				argumentSet("its interim answers", "", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"));
	}

	@ParameterizedTest
	@MethodSource("slow")
	void anAnswerThatComesBitByBitIsGivenUpInTime(String start, String more) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> drip(exchange, start, more));
				HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			long begin = System.nanoTime();
			assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SHORT));
			// Far from the minute and more that the bits would take.
			assertThat(Duration.ofNanos(System.nanoTime() - begin)).isBetween(SHORT.minusMillis(100),
					SHORT.plusSeconds(20));
			assertThat(client.leasedConnections()).isZero();
		}
	}

	/** A header or a status of no sense is no reason to fail in any other way. */
	@ParameterizedTest
	@MethodSource("senseless")
	void anAnswerOfNoSenseIsRefusedOrUnavailable(String answer) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			exchange.write(answer);
			exchange.socket().close();
		}); HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(LONG).build()) {
			assertThatExceptionOfType(LockException.class).isThrownBy(() -> client.read("k", LONG));
			assertThatExceptionOfType(LockException.class).isThrownBy(() -> client.watch("k", 1, SHORT));
			assertThatExceptionOfType(LockException.class).isThrownBy(() -> client.renewSession("s"));
			assertThat(client.leasedConnections()).isZero();
		}
	}

	static Stream<String> senseless() {
		return Stream.of("HTTP/1.1 0 OK\r\n\r\n", "HTTP/1.1 -200 OK\r\n\r\n", "HTTP/1.1 99999999999 OK\r\n\r\n",
				"HTTP/1.1 1000 OK\r\nContent-Length: 2\r\n\r\n[]", "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n[]",
				"HTTP/1.1 200\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/ 200 OK\r\n\r\n", "HTTP/a.b 200 OK\r\n\r\n",
				"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[]", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n[]",
				"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n[]",
				"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n[]",
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n[]",
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n[]\r\n",
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n[]\r\n",
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n[]\r\n",
				"HTTP/1.1 200 OK\r\n: x\r\n\r\n[", "HTTP/1.1 200 OK\r\nX\r\n\r\n[",
				"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=x\r\nContent-Length: 1\r\n\r\n[",
				"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=-99999999999999999999\r\nContent-Length: 1\r\n\r\n[",
				"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n[",
				"HTTP/1.1 200 OK\r\nX-Consul-Index: -1\r\nContent-Length: 1\r\n\r\n[",
				"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n[]", "HTTP/1.1 204 No Content\r\n\r\n",
				"HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP/1.1 205 Reset Content\r\n\r\n", "\u0000\u0000\u0000",
				"<html>", "SSH-2.0-OpenSSH_9.2\r\n", "220 smtp ESMTP\r\n");
	}

	private void pour(Exchange exchange, String start, String more) throws IOException {
		exchange.write(start);
		byte[] bytes = more.getBytes(StandardCharsets.ISO_8859_1);
		OutputStream out = exchange.socket().getOutputStream();
		while (true) {
			out.write(bytes);
			this.written.addAndGet(bytes.length);
		}
	}

	private static void drip(Exchange exchange, String start, String more) throws IOException, InterruptedException {
		exchange.write(start);
		Socket socket = exchange.socket();
		while (!socket.isClosed() && !exchange.closed().await(50, TimeUnit.MILLISECONDS)) {
			exchange.write(more);
		}
	}

}
