package io.github.consullock.test.orders;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import com.sun.net.httpserver.HttpServer;
import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.test.LocalLocks;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An application that registers in a Consul all the same, and has its locks in memory.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
@LocalLocks(register = true)
@DirtiesContext
class RegisteringApplicationTests {

	private static final List<String> requests = new CopyOnWriteArrayList<>();

	/** Outlasts the context, which deregisters. */
	private static final HttpServer consul = start();

	@DynamicPropertySource
	static void consulIsThere(DynamicPropertyRegistry properties) {
		properties.add("spring.cloud.consul.host", () -> consul.getAddress().getHostString());
		properties.add("spring.cloud.consul.port", () -> consul.getAddress().getPort());
	}

	private static HttpServer start() {
		try {
			HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
			server.createContext("/", (exchange) -> {
				requests.add(exchange.getRequestURI().getPath());
				byte[] body = "{}".getBytes(StandardCharsets.UTF_8);
				exchange.getResponseHeaders().add("Content-Type", "application/json");
				exchange.sendResponseHeaders(200, body.length);
				exchange.getResponseBody().write(body);
				exchange.close();
			});
			server.start();
			return server;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Test
	void theApplicationRegistersAndItsLocksAreInMemory(@Autowired ConsulLockRegistry registry) {
		assertThat(requests).contains("/v1/agent/service/register");
		try (LockHandle handle = registry.obtain("a").acquire()) {
			assertThat(handle.isHeld()).isTrue();
		}
		assertThat(requests).noneMatch((path) -> path.startsWith("/v1/session") || path.startsWith("/v1/txn"));
	}

}
