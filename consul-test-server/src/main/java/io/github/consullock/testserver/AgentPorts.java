package io.github.consullock.testserver;

/**
 * The ports of one agent.
 *
 * @param http the HTTP API
 * @param https the HTTP API over TLS, or {@link #NONE}
 * @param server server to server calls
 * @param serf gossip inside the datacenter
 */
record AgentPorts(int http, int https, int server, int serf) {

	static final int NONE = -1;

	static AgentPorts free(ConsulServerOptions options, int node) {
		int http = (node == 0 && options.httpPort() != ConsulServerOptions.ANY_PORT) ? options.httpPort()
				: FreePorts.next();
		return new AgentPorts(http, options.tls() ? FreePorts.next() : NONE, FreePorts.next(), FreePorts.next());
	}

}
