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

	private static final int MAX_TEXT = 4096;

	/** The start of the body as text; an error, or a plain answer, is never longer. */
	String body() {
		return new String(this.content, 0, Math.min(this.content.length, MAX_TEXT), StandardCharsets.UTF_8);
	}

}
