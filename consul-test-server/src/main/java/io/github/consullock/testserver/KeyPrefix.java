package io.github.consullock.testserver;

import java.util.UUID;

/**
 * A prefix for the keys of one test, so that tests share a Consul without meeting. The
 * {@link ConsulServerExtension} injects a fresh one for each test.
 *
 * @param value ends with a slash, such as {@code test-2f6b01c9/}
 * @since 0.1.0
 */
public record KeyPrefix(String value) {

	private static final int UNIQUE_LENGTH = 8;

	static KeyPrefix unique() {
		return new KeyPrefix("test-%s/".formatted(UUID.randomUUID().toString().substring(0, UNIQUE_LENGTH)));
	}

	/**
	 * A key of this test.
	 * @param name the rest of the key
	 * @return prefix and name
	 */
	public String key(String name) {
		return this.value + name;
	}

	@Override
	public String toString() {
		return this.value;
	}

}
