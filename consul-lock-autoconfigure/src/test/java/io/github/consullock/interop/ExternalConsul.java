package io.github.consullock.interop;

import java.net.URI;

/**
 * Tells a process of another program where Consul is, and nothing else.
 */
final class ExternalConsul {

	private ExternalConsul() {
	}

	static void environment(ProcessBuilder builder, URI consul) {
		builder.environment().keySet().removeIf((name) -> name.startsWith("CONSUL_HTTP_"));
		builder.environment().put("CONSUL_HTTP_ADDR", consul.getHost() + ":" + consul.getPort());
	}

}
