package io.github.consullock.consul;

/**
 * An answer about a session, as {@link ConsulClient#watchSession} gives it.
 *
 * @param index the index to go on watching from
 * @param visible whether the session is there and the token may see it
 * @since 0.1.0
 */
public record SessionSnapshot(long index, boolean visible) {
}
