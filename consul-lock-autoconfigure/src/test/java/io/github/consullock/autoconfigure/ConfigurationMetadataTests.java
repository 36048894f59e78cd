package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

class ConfigurationMetadataTests {

	@Test
	void everyPropertyIsDescribed() throws IOException {
		List<String> names = new ArrayList<>();
		for (JsonNode property : metadata().get("properties")) {
			String name = property.get("name").asString();
			names.add(name);
			assertThat(property.path("description").asString("")).as(name).endsWith(".");
		}
		assertThat(names).allMatch((name) -> name.startsWith("consul.lock."))
			.contains("consul.lock.enabled", "consul.lock.session.ttl", "consul.lock.connection.token-file")
			.hasSizeGreaterThan(25);
	}

	private static JsonNode metadata() throws IOException {
		String resource = "/META-INF/spring-configuration-metadata.json";
		try (InputStream in = ConfigurationMetadataTests.class.getResourceAsStream(resource)) {
			assertThat(in).as(resource).isNotNull();
			return JsonMapper.shared().readTree(in);
		}
	}

}
