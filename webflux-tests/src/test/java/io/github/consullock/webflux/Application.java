package io.github.consullock.webflux;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * A running {@link WebFluxApplication}, and its client, which has threads of its own.
 */
final class Application implements AutoCloseable {

	private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private final ConfigurableApplicationContext context;

	private final String root;

	private Application(ConfigurableApplicationContext context) {
		this.context = context;
		this.root = "http://127.0.0.1:" + context.getEnvironment().getRequiredProperty("local.server.port");
	}

	static Application start(ConsulServer consul, String... properties) {
		return new Application(new SpringApplicationBuilder(WebFluxApplication.class)
			.properties("server.port=0", "spring.main.banner-mode=off", "spring.cloud.consul.host=" + consul.host(),
					"spring.cloud.consul.port=" + consul.port())
			.properties(properties)
			.run());
	}

	/** Asks; a cancel of the future ends the connection. */
	CompletableFuture<HttpResponse<String>> get(String path) {
		return this.client.sendAsync(HttpRequest.newBuilder(URI.create(this.root + path)).build(),
				BodyHandlers.ofString());
	}

	Work work(String key, String name) {
		return this.context.getBean(WorkList.class).get(key, name);
	}

	WebFluxApplication.Requests requests() {
		return this.context.getBean(WebFluxApplication.Requests.class);
	}

	ConsulLockRegistry registry() {
		return this.context.getBean(ConsulLockRegistry.class);
	}

	@Override
	public void close() {
		this.context.close();
	}

}
