package io.github.consullock.consul;

import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

/**
 * What Consul answered.
 *
 * @param status the HTTP status
 * @param content the body; may be empty
 * @param index the X-Consul-Index header, or {@code null} without one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ConsulAnswer(int status, byte[] content, @Nullable Long index) {

	/** The body as text. */
	String body() {
		return new String(this.content, StandardCharsets.UTF_8);
	}

}
