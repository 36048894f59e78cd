package io.github.consullock.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the actuator's endpoints tell of an application that locks, with all of them open
 * and all values shown.
 */
@ConsulTest
class ActuatorTests {

	private static final String TOKEN = "5ec4e7aa-0000-4000-8000-0123456789ab";

	private static final Pattern LINK = Pattern.compile("\"href\":\"([^\"{]+)\"");

	private final HttpClient http = HttpClient.newHttpClient();

	@Test
	void noEndpointTellsATokenOrTheIdOfASession(ConsulServer server, KeyPrefix keys) throws Exception {
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(SampleApplication.class).run(
				"--server.port=0", "--spring.cloud.consul.host=" + server.host(),
				"--spring.cloud.consul.port=" + server.port(), "--consul.lock.key-prefix=" + keys.value(),
				"--spring.main.banner-mode=off", "--management.endpoints.web.exposure.include=*",
				"--management.endpoint.env.show-values=always", "--management.endpoint.configprops.show-values=always",
				"--management.endpoint.health.show-details=always", "--consul.lock.connection.token=" + TOKEN,
				"--spring.cloud.consul.token=" + TOKEN, "--spring.cloud.consul.discovery.acl-token=" + TOKEN,
				"--CONSUL_TOKEN=" + TOKEN, "--CONSUL_HTTP_TOKEN=" + TOKEN);
				LockHandle handle = context.getBean(ConsulLockRegistry.class).obtain("a").acquire()) {
			assertThat(handle.isHeld()).isTrue();
			String session = sessionOf(server, keys.value() + "a");
			URI actuator = URI.create("http://127.0.0.1:"
					+ context.getEnvironment().getRequiredProperty("local.server.port") + "/actuator");
			List<String> read = new ArrayList<>();
			Matcher link = LINK.matcher(get(actuator));
			while (link.find()) {
				// The dump of the heap has all that the application has.
				if (!link.group(1).endsWith("/heapdump")) {
					read.add(link.group(1));
					assertThat(get(URI.create(link.group(1)))).as(link.group(1)).doesNotContain(TOKEN, session);
				}
			}
			assertThat(read).anyMatch((url) -> url.endsWith("/env")).anyMatch((url) -> url.endsWith("/configprops"));
			assertThat(get(URI.create(actuator + "/env/consul.lock.connection.token"))).contains("******")
				.doesNotContain(TOKEN);
			// Other values are shown as ever.
			assertThat(get(URI.create(actuator + "/env/consul.lock.key-prefix"))).contains(keys.value());
		}
	}

	private String sessionOf(ConsulServer server, String key) throws IOException, InterruptedException {
		Matcher session = Pattern.compile("\"Session\":\\s*\"([^\"]+)\"")
			.matcher(get(server.httpUri().resolve("/v1/kv/" + key)));
		assertThat(session.find()).isTrue();
		assertThat(UUID.fromString(session.group(1))).isNotNull();
		return session.group(1);
	}

	private String get(URI uri) throws IOException, InterruptedException {
		return this.http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
	}

}
