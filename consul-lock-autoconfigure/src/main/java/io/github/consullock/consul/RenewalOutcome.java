package io.github.consullock.consul;

import java.time.Duration;

/**
 * What came of renewing a session.
 *
 * @since 0.1.0
 */
public sealed interface RenewalOutcome {

	/**
	 * The session lives.
	 *
	 * @param ttl its TTL as the server has it; zero if it has none
	 * @param lockDelay its lock-delay as the server has it
	 */
	record Renewed(Duration ttl, Duration lockDelay) implements RenewalOutcome {
	}

	/**
	 * There is no such session: it has ended, and never comes back.
	 */
	record Ended() implements RenewalOutcome {
	}

}
