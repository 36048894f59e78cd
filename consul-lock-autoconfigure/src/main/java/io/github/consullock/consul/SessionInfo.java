package io.github.consullock.consul;

import java.time.Duration;

import io.github.consullock.SessionBehavior;

/**
 * A session that is there, as {@link ConsulClient#sessionInfo} reads it.
 *
 * @param id its id
 * @param name its name; empty if it has none
 * @param ttl how long it lives without a renewal; zero if it needs none
 * @param lockDelay how long its keys stay closed after it was invalidated
 * @param behavior what becomes of its keys when it is invalidated
 * @since 0.1.0
 */
public record SessionInfo(String id, String name, Duration ttl, Duration lockDelay, SessionBehavior behavior) {
}
