package io.github.consullock.consul;

import org.jspecify.annotations.Nullable;

/**
 * What Consul answered.
 *
 * @param status the HTTP status
 * @param body the body as UTF-8 text; may be empty
 * @param index the X-Consul-Index header, or {@code null} without one
 */
record ConsulAnswer(int status, String body, @Nullable Long index) {
}
