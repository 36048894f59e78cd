package io.github.consullock.session;

import java.time.Duration;
import java.util.List;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.SessionRequest;

/**
 * How sessions are made and kept.
 *
 * @param name a name to recognise the session by in Consul
 * @param ttl how long the session may go without a renewal: 10 s to 24 h
 * @param lockDelay how long its keys stay closed after it was invalidated: 0 to 60 s
 * @param behavior what becomes of its keys when it is invalidated
 * @param nodeChecks the ids of node checks it is bound to; empty for none
 * @param serviceChecks the ids of service checks it is bound to; empty for none
 * @param safetyMargin by how much the local deadline comes before the TTL
 * @param allowUnsafe whether {@link SessionBehavior#DELETE} and a lock-delay below the
 * TTL are allowed. Both break a promise: after a crash another holder may come before the
 * former one has noticed.
 * @since 0.1.0
 */
public record SessionSettings(String name, Duration ttl, Duration lockDelay, SessionBehavior behavior,
		List<String> nodeChecks, List<String> serviceChecks, Duration safetyMargin, boolean allowUnsafe) {

	private static final Duration MIN_TTL = Duration.ofSeconds(10);

	private static final Duration MAX_TTL = Duration.ofHours(24);

	private static final Duration MAX_LOCK_DELAY = Duration.ofSeconds(60);

	/**
	 * What holds where nothing else is said: a TTL and a lock-delay of 25 s, behavior
	 * {@link SessionBehavior#RELEASE}, no checks, a safety margin of 500 ms.
	 */
	public static final SessionSettings DEFAULTS = new SessionSettings("consul-lock", Duration.ofSeconds(25),
			Duration.ofSeconds(25), SessionBehavior.RELEASE, List.of(), List.of(), Duration.ofMillis(500), false);

	public SessionSettings {
		nodeChecks = List.copyOf(nodeChecks);
		serviceChecks = List.copyOf(serviceChecks);
		if (ttl.compareTo(MIN_TTL) < 0 || ttl.compareTo(MAX_TTL) > 0) {
			throw new IllegalArgumentException(
					"session.ttl must be between 10s and 24h, the bounds of Consul, but is " + text(ttl));
		}
		if (lockDelay.isNegative() || lockDelay.compareTo(MAX_LOCK_DELAY) > 0) {
			throw new IllegalArgumentException(
					"session.lock-delay must be between 0s and 60s, the bounds of Consul, but is " + text(lockDelay));
		}
		if (safetyMargin.isNegative() || safetyMargin.compareTo(ttl.dividedBy(4)) > 0) {
			throw new IllegalArgumentException("session.safety-margin must be between 0s and a quarter of session.ttl ("
					+ text(ttl) + "), but is " + text(safetyMargin));
		}
		if (!allowUnsafe && lockDelay.compareTo(ttl) < 0) {
			throw new IllegalArgumentException("session.lock-delay (" + text(lockDelay)
					+ ") must not be below session.ttl (" + text(ttl)
					+ "): a new holder could come before the former one knows of its loss. Raise the lock-delay, lower"
					+ " the TTL, or set session.allow-unsafe=true to accept that");
		}
		if (!allowUnsafe && behavior == SessionBehavior.DELETE) {
			throw new IllegalArgumentException("session.behavior=delete lets an acquire that is on its way slip past"
					+ " lock-delay when a holder crashes. Use release, or set session.allow-unsafe=true to accept that");
		}
	}

	/**
	 * These settings with another name.
	 */
	public SessionSettings withName(String name) {
		return new SessionSettings(name, this.ttl, this.lockDelay, this.behavior, this.nodeChecks, this.serviceChecks,
				this.safetyMargin, this.allowUnsafe);
	}

	/**
	 * These settings with another TTL and lock-delay.
	 */
	public SessionSettings withTimes(Duration ttl, Duration lockDelay) {
		return new SessionSettings(this.name, ttl, lockDelay, this.behavior, this.nodeChecks, this.serviceChecks,
				this.safetyMargin, this.allowUnsafe);
	}

	/**
	 * These settings, allowed to break the promises or not.
	 */
	public SessionSettings withAllowUnsafe(boolean allowUnsafe) {
		return new SessionSettings(this.name, this.ttl, this.lockDelay, this.behavior, this.nodeChecks,
				this.serviceChecks, this.safetyMargin, allowUnsafe);
	}

	SessionRequest toRequest() {
		return new SessionRequest(this.name, this.ttl, this.lockDelay, this.behavior, this.nodeChecks,
				this.serviceChecks);
	}

	/**
	 * A body that the server did not read gives a session without a TTL, with status 200;
	 * only the answer to a renewal shows it.
	 * @throws ConsulRefusedException if the server has other settings than these
	 */
	void checkTaken(RenewalOutcome.Renewed renewed) {
		if (!renewed.ttl().equals(this.ttl) || !renewed.lockDelay().equals(this.lockDelay)) {
			throw new ConsulRefusedException("Consul did not take the session's settings: wanted a TTL of "
					+ text(this.ttl) + " and a lock-delay of " + text(this.lockDelay) + ", got " + text(renewed.ttl())
					+ " and " + text(renewed.lockDelay()) + ". Does a proxy in front of Consul change request bodies?");
		}
	}

	private static String text(Duration duration) {
		return (duration.toMillis() % 1000 == 0) ? duration.toSeconds() + "s" : duration.toMillis() + "ms";
	}

}
