package io.github.consullock.test.orders;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestPropertySource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An application that runs on Consul, and registers there, is started without.
 */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
@LocalLocks
@TestPropertySource(properties = { "consul.lock.enabled=false", "consul.lock.mode=consul" })
@ExtendWith(OutputCaptureExtension.class)
class LocalLocksTests {

	private static final AtomicInteger connections = new AtomicInteger();

	/** Counts its connections, and closes them. */
	private static final ServerSocket consul = listen();

	@Autowired
	private ApplicationContext context;

	@Autowired
	private ConsulLockRegistry registry;

	@Autowired
	private LockLossSimulator locks;

	@DynamicPropertySource
	static void consulIsWatched(DynamicPropertyRegistry properties) {
		properties.add("spring.cloud.consul.host", () -> consul.getInetAddress().getHostAddress());
		properties.add("spring.cloud.consul.port", consul::getLocalPort);
	}

	private static ServerSocket listen() {
		try {
			ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
			new Thread(() -> {
				while (!server.isClosed()) {
					try (Socket connection = server.accept()) {
						connections.incrementAndGet();
					}
					catch (IOException ex) {
						// Closed.
					}
				}
			}).start();
			return server;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@AfterAll
	static void stopListening() throws IOException {
		consul.close();
	}

	@Test
	void consulIsNotContacted() throws IOException {
		try (LockHandle handle = this.registry.obtain("a").acquire()) {
			this.locks.lose("a");
			assertThat(handle.isHeld()).isFalse();
		}
		try (Socket last = new Socket(consul.getInetAddress(), consul.getLocalPort())) {
			assertThat(last.getInputStream().read()).isEqualTo(-1);
		}
		assertThat(connections).hasValue(1);
		assertThat(this.context.containsBean("consulCatalogWatch")).isFalse();
		assertThat(this.context.getEnvironment().getProperty("spring.cloud.consul.discovery.register"))
			.isEqualTo("false");
	}

	@Test
	void noWarningSaysSo(CapturedOutput output) {
		assertThat(output).contains("Spring Boot").doesNotContain("consul.lock.mode");
	}

	@Nested
	@Import(Extra.class)
	@TestPropertySource(properties = "consul.lock.waiting.timeout=33s")
	class InANestedClassWithItsOwnConfiguration {

		@Test
		void theLocksAreLocalToo(@Autowired Extra extra, @Autowired LockLossSimulator nestedLocks,
				@Autowired Environment environment) {
			assertThat(extra).isNotNull();
			assertThat(nestedLocks.heldKeys()).isEmpty();
			assertThat(environment.getProperty("consul.lock.waiting.timeout")).isEqualTo("33s");
			assertThat(environment.getProperty("consul.lock.mode")).isEqualTo("local");
			assertThat(environment.getProperty("consul.lock.enabled")).isEqualTo("true");
		}

	}

	static class Extra {

	}

}
