package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

class ConfigurationMetadataTests {

	/** Each name in backticks, a default, and what the property does. */
	private static final Pattern ROW = Pattern.compile("\\| (`[^|]+`) \\| ([^|]*) ?\\| .+ \\|");

	private static final Pattern CODE = Pattern.compile("`([^`]+)`");

	@Test
	void everyPropertyAndEveryGroupIsDescribed() throws IOException {
		for (String kind : List.of("properties", "groups")) {
			for (JsonNode item : metadata().get(kind)) {
				String name = item.get("name").asString();
				assertThat(name).startsWith("consul.lock");
				assertThat(item.path("description").asString("")).as(name).endsWith(".");
			}
		}
	}

	@Test
	void theDocumentationHasTheSamePropertiesWithTheSameDefaults() throws IOException {
		Map<String, String> generated = new TreeMap<>();
		for (JsonNode property : metadata().get("properties")) {
			generated.put(property.get("name").asString(), property.path("defaultValue").asString(""));
		}
		assertThat(documented()).hasSizeGreaterThan(25).isEqualTo(generated);
	}

	/** A default that is no single value but a text is computed: no metadata has it. */
	private static Map<String, String> documented() throws IOException {
		Map<String, String> defaults = new TreeMap<>();
		for (String line : Files.readAllLines(Path.of("..", "docs", "configuration.md"))) {
			Matcher row = ROW.matcher(line);
			if (row.matches()) {
				Matcher value = CODE.matcher(row.group(2).strip());
				String plain = value.matches() ? value.group(1) : "";
				CODE.matcher(row.group(1))
					.results()
					.forEach((name) -> defaults.put("consul.lock." + name.group(1), plain));
			}
		}
		return defaults;
	}

	private static JsonNode metadata() throws IOException {
		String resource = "/META-INF/spring-configuration-metadata.json";
		try (InputStream in = ConfigurationMetadataTests.class.getResourceAsStream(resource)) {
			assertThat(in).as(resource).isNotNull();
			return JsonMapper.shared().readTree(in);
		}
	}

}
