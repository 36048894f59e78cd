package io.github.consullock.testserver;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Options of a {@link ConsulServer}. Not thread-safe. One builder may start several
 * servers.
 *
 * @since 0.1.0
 */
public final class ConsulServerBuilder {

	private static final int MAX_CLUSTER_SIZE = 9;

	private static final int MAX_PORT = 65535;

	private boolean acl;

	private boolean tls;

	private int clusterSize = 1;

	private boolean clientAgent;

	private String datacenter = "dc1";

	private int httpPort = ConsulServerOptions.ANY_PORT;

	private final List<String> configuration = new ArrayList<>();

	private Duration startTimeout = Duration.ofSeconds(60);

	ConsulServerBuilder() {
	}

	/**
	 * Turns access control on: everything is denied to a request without a token.
	 * <p>
	 * Default is off.
	 * @return this builder
	 * @see ConsulServer#managementToken()
	 * @see ConsulServer#createToken(String)
	 */
	public ConsulServerBuilder acl() {
		this.acl = true;
		return this;
	}

	/**
	 * Serves HTTPS beside HTTP, with a certificate for {@code localhost} and
	 * {@code 127.0.0.1} from an authority of its own.
	 * <p>
	 * Default is HTTP alone.
	 * @return this builder
	 * @see ConsulServer#httpsUri()
	 * @see ConsulServer#caCertificate()
	 */
	public ConsulServerBuilder tls() {
		this.tls = true;
		return this;
	}

	/**
	 * The number of servers, each with ports of its own.
	 * <p>
	 * Default is 1; a cluster that outlasts the loss of one server has 3.
	 * @param servers from 1 to 9
	 * @return this builder
	 */
	public ConsulServerBuilder clusterSize(int servers) {
		if (servers < 1 || servers > MAX_CLUSTER_SIZE) {
			throw new IllegalArgumentException(
					"A cluster has 1 to %d servers, not %d".formatted(MAX_CLUSTER_SIZE, servers));
		}
		this.clusterSize = servers;
		return this;
	}

	/**
	 * Adds a client agent, as there is one on each machine of an application, beside the
	 * servers: a session that is created through it outlasts the loss of any server. Its
	 * number, for the methods that take that of a server, is the
	 * {@linkplain ConsulServer#clusterSize() number of servers}.
	 * <p>
	 * Default is none.
	 * @return this builder
	 */
	public ConsulServerBuilder clientAgent() {
		this.clientAgent = true;
		return this;
	}

	/**
	 * The name of the datacenter.
	 * <p>
	 * Default is {@code dc1}.
	 * @param name lower-case letters, digits, {@code -} and {@code _}
	 * @return this builder
	 */
	public ConsulServerBuilder datacenter(String name) {
		if (!name.matches("[a-z0-9_-]+")) {
			throw new IllegalArgumentException(
					"A datacenter's name has lower-case letters, digits, - and _ only, not '%s'".formatted(name));
		}
		this.datacenter = name;
		return this;
	}

	/**
	 * The HTTP port of the first server.
	 * <p>
	 * Default is a free one. A given one that is taken fails the start.
	 * @param port from 1 to 65535, or 0 for a free one
	 * @return this builder
	 */
	public ConsulServerBuilder httpPort(int port) {
		if (port < 0 || port > MAX_PORT) {
			throw new IllegalArgumentException("A port is from 0 to %d, not %d".formatted(MAX_PORT, port));
		}
		this.httpPort = port;
		return this;
	}

	/**
	 * Adds agent configuration, read by each server after what it gets by default, and so
	 * winning. Consul's own defaults are otherwise kept, such as
	 * {@code limits.http_max_conns_per_client}, 200.
	 * @param json a document such as {@code {"session_ttl_min": "1s"}}
	 * @return this builder
	 */
	public ConsulServerBuilder configuration(String json) {
		this.configuration.add(json);
		return this;
	}

	/**
	 * The bound on waiting until a session can be created on each server.
	 * <p>
	 * Default is one minute. Fetching Consul, where that is needed, does not count.
	 * @param timeout a positive duration
	 * @return this builder
	 */
	public ConsulServerBuilder startTimeout(Duration timeout) {
		if (timeout.isNegative() || timeout.isZero()) {
			throw new IllegalArgumentException("The start timeout must be positive, not " + timeout);
		}
		this.startTimeout = timeout;
		return this;
	}

	/**
	 * Starts the server and waits until it is ready.
	 * @return the running server, to be closed by the caller
	 * @throws ConsulServerException if no Consul is found, or it does not get ready
	 */
	public ConsulServer start() {
		return start(ConsulSources.find());
	}

	ConsulServer start(ConsulSource source) {
		return new ConsulServerLauncher(options(), source).launch();
	}

	ConsulServerOptions options() {
		return new ConsulServerOptions(this.acl, this.tls, this.clusterSize, this.clientAgent, this.datacenter,
				this.httpPort, this.configuration, this.startTimeout);
	}

}
