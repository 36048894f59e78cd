package io.github.consullock.sample;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.http.client.ClientHttpRequestFactoryBuilder;
import org.springframework.boot.http.client.JdkClientHttpRequestFactoryBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * The starter leaves an application the HTTP client that it has without it: one whose
 * calls end when they are interrupted.
 */
@ConsulTest
class RestClientTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	@BeforeEach
	void needsTheJarThatApplicationsGet() throws Exception {
		Path classes = Path.of(DistributedLock.class.getProtectionDomain().getCodeSource().getLocation().toURI());
		assumeTrue(Files.isRegularFile(classes), () -> "The lock's own HTTP client is hidden only in its jar, which is "
				+ "there from 'mvn package' on, and this is " + classes);
	}

	@Test
	void theLossOfTheSessionAbortsACallOfARestClient(ConsulServer server, KeyPrefix keys) throws Exception {
		ConsulCalls consul = new ConsulCalls(server.httpUri());
		try (ConfigurableApplicationContext context = start(server, keys);
				ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			Caller caller = context.getBean(Caller.class);
			URI uri = URI.create("http://127.0.0.1:" + silent.getLocalPort());
			CompletableFuture<@Nullable String> call = CompletableFuture.supplyAsync(() -> caller.call(uri));
			silent.setSoTimeout((int) AMPLE.toMillis());
			try (Socket connection = silent.accept()) {
				connection.getInputStream().read();
				consul.destroySession(consul.sessionHolding(keys.key("call")));
				assertThat(call).failsWithin(AMPLE)
					.withThrowableOfType(ExecutionException.class)
					.havingCause()
					.isInstanceOfSatisfying(LockLostException.class,
							(lost) -> assertThat(lost.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED))
					.withCauseInstanceOf(ResourceAccessException.class);
			}
		}
	}

	@Test
	void theClientOfTheJdkIsTheDefault() {
		assertThat(ClientHttpRequestFactoryBuilder.detect()).isInstanceOf(JdkClientHttpRequestFactoryBuilder.class);
	}

	private static ConfigurableApplicationContext start(ConsulServer server, KeyPrefix keys) {
		return new SpringApplicationBuilder(Application.class).web(WebApplicationType.NONE)
			.run("--spring.cloud.consul.enabled=false", "--spring.cloud.consul.host=" + server.host(),
					"--spring.cloud.consul.port=" + server.port(), "--consul.lock.key-prefix=" + keys.value(),
					"--consul.lock.waiting.timeout=1m", "--spring.main.banner-mode=off");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Caller.class)
	static class Application {

	}

	static class Caller {

		private final RestClient client;

		Caller(RestClient.Builder builder) {
			this.client = builder.build();
		}

		@DistributedLock("call")
		public @Nullable String call(URI uri) {
			return this.client.get().uri(uri).retrieve().body(String.class);
		}

	}

}
