package io.github.consullock.consul;

import java.util.StringJoiner;

import org.jspecify.annotations.Nullable;

/**
 * Which part of a Consul a request goes to: each has keys and sessions of its own. A part
 * that is {@code null} is left to the client, and where that says nothing either, to the
 * agent and the token.
 *
 * @param datacenter the datacenter; blank becomes {@code null}
 * @param namespace the namespace, of Consul Enterprise; blank becomes {@code null}
 * @param partition the admin partition, of Consul Enterprise; blank becomes {@code null}
 * @since 0.1.0
 */
public record ConsulScope(@Nullable String datacenter, @Nullable String namespace, @Nullable String partition) {

	/**
	 * Leaves everything to the client.
	 */
	public static final ConsulScope DEFAULT = new ConsulScope(null, null, null);

	public ConsulScope {
		datacenter = blankToNull(datacenter);
		namespace = blankToNull(namespace);
		partition = blankToNull(partition);
	}

	/**
	 * This scope, with what it leaves open taken from another.
	 */
	ConsulScope within(ConsulScope outer) {
		return new ConsulScope((this.datacenter != null) ? this.datacenter : outer.datacenter,
				(this.namespace != null) ? this.namespace : outer.namespace,
				(this.partition != null) ? this.partition : outer.partition);
	}

	/**
	 * The query parameters that name it, encoded.
	 */
	String query() {
		StringJoiner query = new StringJoiner("&");
		add(query, "dc", this.datacenter);
		add(query, "ns", this.namespace);
		add(query, "partition", this.partition);
		return query.toString();
	}

	private static void add(StringJoiner query, String name, @Nullable String value) {
		if (value != null) {
			query.add(name + "=" + ConsulRequest.encodeQuery(value));
		}
	}

	private static @Nullable String blankToNull(@Nullable String value) {
		return (value == null || value.isBlank()) ? null : value.strip();
	}

}
