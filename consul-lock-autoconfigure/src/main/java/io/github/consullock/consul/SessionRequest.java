package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;

import io.github.consullock.SessionBehavior;

/**
 * The settings of a session to create.
 *
 * @param name a name to recognise it by
 * @param ttl how long it lives without a renewal: 10 s to 24 h; the server ends it up to
 * that much later
 * @param lockDelay how long a key stays closed after the session that held it was
 * invalidated: 0 to 60 s
 * @param behavior what becomes of its keys when it is invalidated
 * @param nodeChecks the ids of node checks it is bound to; empty for none, not even
 * {@code serfHealth}
 * @param serviceChecks the ids of service checks it is bound to
 * @see <a href="https://developer.hashicorp.com/consul/api-docs/session">Sessions, HTTP
 * API</a>
 * @since 0.1.0
 */
public record SessionRequest(String name, Duration ttl, Duration lockDelay, SessionBehavior behavior,
		List<String> nodeChecks, List<String> serviceChecks) {

	public SessionRequest {
		nodeChecks = List.copyOf(nodeChecks);
		serviceChecks = List.copyOf(serviceChecks);
	}

}
