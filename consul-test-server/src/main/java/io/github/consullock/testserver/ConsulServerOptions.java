package io.github.consullock.testserver;

import java.time.Duration;
import java.util.List;

/**
 * What a server is to be like.
 *
 * @param acl whether access control is on, with everything denied by default
 * @param tls whether HTTPS is served beside HTTP
 * @param clusterSize the number of servers
 * @param clientAgent whether there is a client agent besides, as on an application's
 * machine
 * @param datacenter the datacenter's name
 * @param httpPort the HTTP port of the first server, 0 for a free one
 * @param configuration documents of agent configuration, later ones winning
 * @param startTimeout the bound on waiting until the servers are ready
 */
record ConsulServerOptions(boolean acl, boolean tls, int clusterSize, boolean clientAgent, String datacenter,
		int httpPort, List<String> configuration, Duration startTimeout) {

	static final int ANY_PORT = 0;

	ConsulServerOptions {
		configuration = List.copyOf(configuration);
	}

	/** The number of agents; the last is the client agent, if there is one. */
	int agents() {
		return this.clusterSize + (this.clientAgent ? 1 : 0);
	}

	boolean isServer(int agent) {
		return agent < this.clusterSize;
	}

	int majority() {
		return this.clusterSize / 2 + 1;
	}

}
