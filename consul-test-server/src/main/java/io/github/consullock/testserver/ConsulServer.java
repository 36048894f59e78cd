package io.github.consullock.testserver;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/**
 * A real Consul for a test or a demo, on free ports, with its data in a temporary folder.
 * It is ready when {@link #start()} returns: a session can be created.
 * <p>
 * The binary is {@code CONSUL_BINARY} or {@code consul} on the PATH; else Docker is used
 * through Testcontainers; else, on Debian, the package of Debian 11 is fetched into the
 * user's cache folder.
 * <p>
 * Nothing stays behind: {@link #close()} ends the processes and removes their data, and
 * so does the end of this JVM, even by {@code kill -9}. Until the JVM has ended the
 * server is there, also for what shuts down in its last moments.
 * <p>
 * Thread-safe. What drives the processes is done one call at a time.
 *
 * @since 0.1.0
 */
public final class ConsulServer implements AutoCloseable {

	private final ConsulCluster cluster;

	ConsulServer(ConsulCluster cluster) {
		this.cluster = cluster;
	}

	/**
	 * Starts one server without ACL and TLS, and waits until it is ready.
	 * @return the running server, to be closed by the caller
	 * @throws ConsulServerException if no Consul is found, or it does not get ready
	 */
	public static ConsulServer start() {
		return builder().start();
	}

	/**
	 * Starts with other options.
	 * @return a builder with the options of {@link #start()}
	 */
	public static ConsulServerBuilder builder() {
		return new ConsulServerBuilder();
	}

	/**
	 * Starts a server from the command line, prints where it is as {@code name=value}
	 * lines and then {@code ready}, and runs until Ctrl-C or until standard input is
	 * closed.
	 * @param args {@code --port=8500}, {@code --acl}, {@code --tls}, {@code --cluster=3},
	 * {@code --datacenter=dc1}, {@code --config=FILE}, each optional
	 */
	public static void main(String[] args) {
		try {
			ConsulServerCommand.run(args, System.in, System.out);
		}
		catch (ConsulServerException | IllegalArgumentException ex) {
			System.err.println(ex.getMessage());
			System.exit(1);
		}
	}

	/**
	 * The host of each server.
	 * @return {@code 127.0.0.1}, or where Docker publishes ports
	 */
	public String host() {
		return this.cluster.node(0).host();
	}

	/**
	 * The HTTP port of the first server.
	 * @return the port
	 */
	public int port() {
		return port(0);
	}

	/**
	 * The HTTP port of one server.
	 * @param index the server, counted from 0
	 * @return the port
	 */
	public int port(int index) {
		return this.cluster.node(index).httpPort();
	}

	/**
	 * The HTTP address of the first server.
	 * @return such as {@code http://127.0.0.1:20123}
	 */
	public URI httpUri() {
		return httpUri(0);
	}

	/**
	 * The HTTP address of one server.
	 * @param index the server, counted from 0
	 * @return such as {@code http://127.0.0.1:20123}
	 */
	public URI httpUri(int index) {
		return this.cluster.node(index).httpUri();
	}

	/**
	 * The HTTPS address of the first server.
	 * @return such as {@code https://127.0.0.1:20124}
	 * @throws IllegalStateException if it was started without TLS
	 */
	public URI httpsUri() {
		return httpsUri(0);
	}

	/**
	 * The HTTPS address of one server.
	 * @param index the server, counted from 0
	 * @return such as {@code https://127.0.0.1:20124}
	 * @throws IllegalStateException if it was started without TLS
	 */
	public URI httpsUri(int index) {
		ConsulNode node = this.cluster.node(index);
		int port = node.httpsPort().orElseThrow(ConsulServer::noTls);
		return URI.create("https://" + node.host() + ":" + port);
	}

	/**
	 * The certificate of the authority that signed the servers' certificate.
	 * @return a PEM file, which is there until the server is closed
	 * @throws IllegalStateException if it was started without TLS
	 */
	public Path caCertificate() {
		if (!this.cluster.options().tls()) {
			throw noTls();
		}
		return this.cluster.directory().resolve("tls").resolve(ServerCertificate.CA_FILE);
	}

	boolean isTls() {
		return this.cluster.options().tls();
	}

	boolean isAcl() {
		return this.cluster.options().acl();
	}

	private static IllegalStateException noTls() {
		return new IllegalStateException("This Consul was started without TLS: use ConsulServer.builder().tls()");
	}

	/**
	 * The token that may do everything.
	 * @return the token
	 * @throws IllegalStateException if it was started without ACL
	 */
	public String managementToken() {
		String token = this.cluster.managementToken();
		if (token == null) {
			throw new IllegalStateException("This Consul was started without ACL: use ConsulServer.builder().acl()");
		}
		return token;
	}

	/**
	 * Creates a token that may do what the rules say, known to all running servers.
	 * @param rules a policy such as <code>key_prefix "locks/" { policy = "write" }</code>
	 * @return the token
	 * @throws IllegalStateException if it was started without ACL
	 * @throws ConsulServerException if Consul refuses the rules
	 */
	public String createToken(String rules) {
		return this.cluster.createToken(rules, managementToken());
	}

	/**
	 * The name of the first server's node, as in sessions and ACL rules.
	 * @return the node name
	 */
	public String nodeName() {
		return nodeName(0);
	}

	/**
	 * The name of one server's node, as in sessions and ACL rules.
	 * @param index the server, counted from 0
	 * @return the node name
	 */
	public String nodeName(int index) {
		return this.cluster.node(index).name();
	}

	/**
	 * The name of the datacenter.
	 * @return the datacenter
	 */
	public String datacenter() {
		return this.cluster.options().datacenter();
	}

	/**
	 * The number of servers, running or not.
	 * @return 1 or more
	 */
	public int clusterSize() {
		return this.cluster.options().clusterSize();
	}

	/**
	 * The folder of all servers' configuration, data and logs.
	 * @return a temporary folder, gone when the server is closed
	 */
	public Path dataDir() {
		return this.cluster.directory();
	}

	/**
	 * The agents' processes that run.
	 * @return their ids, none where agents run in containers
	 */
	public List<Long> processIds() {
		return this.cluster.nodes().stream().flatMapToLong((node) -> node.processId().stream()).boxed().toList();
	}

	/**
	 * The end of what one server logged, for the message of a failed test.
	 * @param index the server, counted from 0
	 * @return some dozen lines
	 */
	public String logTail(int index) {
		return this.cluster.node(index).logTail();
	}

	/**
	 * Whether one server's process is there, frozen or not.
	 * @param index the server, counted from 0
	 * @return whether it is there
	 */
	public boolean isRunning(int index) {
		return this.cluster.node(index).isRunning();
	}

	/**
	 * Freezes all running servers: connections stay open, nothing answers.
	 * @throws ConsulServerException if that fails
	 */
	public void pause() {
		this.cluster.pause();
	}

	/**
	 * Freezes one server.
	 * @param index the server, counted from 0
	 * @throws ConsulServerException if it is not running
	 */
	public void pause(int index) {
		this.cluster.pause(index);
	}

	/**
	 * Thaws all running servers.
	 * @throws ConsulServerException if that fails
	 */
	public void resume() {
		this.cluster.resume();
	}

	/**
	 * Thaws one server.
	 * @param index the server, counted from 0
	 * @throws ConsulServerException if it is not running
	 */
	public void resume(int index) {
		this.cluster.resume(index);
	}

	/**
	 * Kills one server as a power failure does; its data stays. Nothing happens if it is
	 * not running.
	 * @param index the server, counted from 0
	 * @throws ConsulServerException if it cannot be killed
	 */
	public void stopNode(int index) {
		this.cluster.stop(index);
	}

	/**
	 * Starts one server again, with its data and ports, and waits until a session can be
	 * created through it; does not wait while less than a majority is running. Nothing
	 * happens if it is running.
	 * @param index the server, counted from 0
	 * @throws ConsulServerException if it cannot be started or does not get ready
	 */
	public void startNode(int index) {
		this.cluster.start(index);
	}

	/**
	 * Ends all servers at once, frozen or not, and removes their data. Further calls do
	 * nothing.
	 */
	@Override
	public void close() {
		this.cluster.close();
	}

	@Override
	public String toString() {
		return "ConsulServer[%s]".formatted(httpUri());
	}

}
