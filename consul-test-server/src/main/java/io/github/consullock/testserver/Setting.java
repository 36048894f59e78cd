package io.github.consullock.testserver;

import org.jspecify.annotations.Nullable;

/**
 * What a developer or a build may set: a system property, or else an environment
 * variable.
 */
enum Setting {

	/** The executable to start. */
	BINARY("consul.binary", "CONSUL_BINARY"),

	/** The image to start, with its tag. */
	IMAGE("consul.image", "CONSUL_IMAGE");

	private final String property;

	private final String variable;

	Setting(String property, String variable) {
		this.property = property;
		this.variable = variable;
	}

	@Nullable String value() {
		String value = System.getProperty(this.property);
		if (value == null || value.isBlank()) {
			value = System.getenv(this.variable);
		}
		return (value == null || value.isBlank()) ? null : value.strip();
	}

}
