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

	/** Without the rest of its id, by which anybody could end it. */
	@Override
	public String toString() {
		return "SessionInfo[id=" + LogText.withoutIds(this.id) + ", name=" + this.name + ", ttl=" + this.ttl
				+ ", lockDelay=" + this.lockDelay + ", behavior=" + this.behavior + "]";
	}

}
