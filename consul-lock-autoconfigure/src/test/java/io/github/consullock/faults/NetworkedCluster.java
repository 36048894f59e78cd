package io.github.consullock.faults;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.testserver.ConsulServer;

/**
 * Agents on a network of their own, each in a network namespace of Linux, between which
 * packets can be dropped. It takes root. Namespaces go with what runs in them and with
 * their names; those that a killed JVM has left are removed by the next cluster.
 */
final class NetworkedCluster extends Agents {

	/** How an agent is cut off. */
	enum Cut {

		WHOLLY, INBOUND, OUTBOUND, FROM_PEERS, LINK

	}

	private static final String LAB = "cl-lab";

	/** Each JVM's are its own. */
	private static final String NAME = LAB + ProcessHandle.current().pid();

	private static final String SWITCH = NAME + "-sw";

	private static final String NETWORK = "10.87." + ProcessHandle.current().pid() % 250 + ".";

	private static final String HOST = NETWORK + "254";

	private static final Pattern NAMES = Pattern.compile(LAB + "(\\d+)-.*");

	private static final int HTTP = 18700;

	private static final int RPC = 18701;

	private static final int SERF = 18702;

	private final List<Process> processes = new ArrayList<>();

	private final Path folder;

	private final Thread hook = new Thread(this::remove);

	NetworkedCluster(Path folder) throws IOException, InterruptedException {
		this.folder = folder;
		removeNamespaces();
		Runtime.getRuntime().addShutdownHook(this.hook);
		String binary = binary();
		connect();
		for (int agent = 0; agent <= CLIENT; agent++) {
			start(agent, binary);
		}
		awaitWhole();
	}

	/** Why there can be none here, if there cannot. */
	static Optional<String> obstacle() {
		if (!"root".equals(System.getProperty("user.name"))) {
			return Optional.of("network namespaces take root");
		}
		try {
			run("iptables", "--version");
			run("ip", "netns", "add", NAME + "-try");
			run("ip", "netns", "exec", NAME + "-try", "iptables", "-w", "-L", "-n");
			return Optional.empty();
		}
		catch (IOException ex) {
			return Optional.of("there are no network namespaces with iptables here: " + ex.getMessage());
		}
		finally {
			try {
				run("ip", "netns", "del", NAME + "-try");
			}
			catch (IOException ex) {
				// It was not made.
			}
		}
	}

	/** The Consul of all other tests. */
	private static String binary() {
		try (ConsulServer server = ConsulServer.start()) {
			return ProcessHandle.of(server.processIds().get(0))
				.flatMap((process) -> process.info().command())
				.orElseThrow(() -> new IllegalStateException("The command of Consul is not to be seen"));
		}
	}

	private static String namespace(int agent) {
		return NAME + "-" + agent;
	}

	private static String host(int agent) {
		return NETWORK + (agent + 1);
	}

	private static void connect() throws IOException {
		run("ip", "netns", "add", SWITCH);
		run("ip", "-n", SWITCH, "link", "add", "bridge", "type", "bridge", "forward_delay", "0");
		run("ip", "-n", SWITCH, "link", "set", "bridge", "up");
		for (int agent = 0; agent <= CLIENT; agent++) {
			String namespace = namespace(agent);
			run("ip", "netns", "add", namespace);
			run("ip", "link", "add", port(agent), "netns", SWITCH, "type", "veth", "peer", "name", "eth0", "netns",
					namespace);
			run("ip", "-n", SWITCH, "link", "set", port(agent), "master", "bridge", "up");
			run("ip", "-n", namespace, "addr", "add", host(agent) + "/24", "dev", "eth0");
			run("ip", "-n", namespace, "link", "set", "eth0", "up");
			run("ip", "-n", namespace, "link", "set", "lo", "up");
		}
		run("ip", "link", "add", NAME, "type", "veth", "peer", "name", "host", "netns", SWITCH);
		run("ip", "-n", SWITCH, "link", "set", "host", "master", "bridge", "up");
		run("ip", "addr", "add", HOST + "/24", "dev", NAME);
		run("ip", "link", "set", NAME, "up");
	}

	private static String port(int agent) {
		return "port" + agent;
	}

	private void start(int agent, String binary) throws IOException {
		Path home = Files.createDirectories(this.folder.resolve("agent-" + agent));
		List<String> join = new ArrayList<>();
		for (int server = 0; server < SERVERS; server++) {
			join.add("\"" + host(server) + ":" + SERF + "\"");
		}
		String kind = (agent == CLIENT) ? "\"server\": false" : "\"server\": true, \"bootstrap_expect\": " + SERVERS;
		Path configuration = Files.writeString(home.resolve("agent.json"), """
				{ %s, "node_name": "%s", "data_dir": "%s", "bind_addr": "%s", "client_addr": "0.0.0.0",
				  "ports": { "http": %d, "server": %d, "serf_lan": %d, "serf_wan": -1, "dns": -1, "grpc": -1 },
				  "retry_join": %s, "retry_interval": "1s", "performance": { "raft_multiplier": 1 },
				  "disable_update_check": true }
				""".formatted(kind, namespace(agent), home.resolve("data"), host(agent), HTTP, RPC, SERF, join));
		File log = home.resolve("log").toFile();
		this.processes.add(new ProcessBuilder("ip", "netns", "exec", namespace(agent), binary, "agent",
				"-config-file=" + configuration)
			.redirectErrorStream(true)
			.redirectOutput(log)
			.start());
	}

	/** Drops packets of one agent from now on. */
	void cut(int agent, Cut how) throws IOException {
		switch (how) {
			case WHOLLY -> {
				drop(agent, "INPUT", "-i", "eth0");
				drop(agent, "OUTPUT", "-o", "eth0");
			}
			case INBOUND -> drop(agent, "INPUT", "-i", "eth0");
			case OUTBOUND -> drop(agent, "OUTPUT", "-o", "eth0");
			case FROM_PEERS -> {
				for (int peer = 0; peer <= CLIENT; peer++) {
					if (peer != agent) {
						drop(agent, "INPUT", "-s", host(peer));
						drop(agent, "OUTPUT", "-d", host(peer));
					}
				}
			}
			case LINK -> run("ip", "-n", SWITCH, "link", "set", port(agent), "down");
			default -> throw new IllegalArgumentException(how.name());
		}
	}

	private static void drop(int agent, String... rule) throws IOException {
		List<String> command = new ArrayList<>(
				List.of("ip", "netns", "exec", namespace(agent), "iptables", "-w", "-I"));
		command.addAll(List.of(rule));
		command.addAll(List.of("-j", "DROP"));
		run(command.toArray(String[]::new));
	}

	/** All is connected again. */
	void heal() throws IOException {
		for (int agent = 0; agent <= CLIENT; agent++) {
			run("ip", "netns", "exec", namespace(agent), "iptables", "-w", "-F");
			run("ip", "-n", SWITCH, "link", "set", port(agent), "up");
		}
	}

	@Override
	URI address(int agent) {
		return URI.create("http://" + host(agent) + ":" + HTTP);
	}

	@Override
	boolean isRunning(int agent) {
		return this.processes.get(agent).isAlive();
	}

	@Override
	public void close() {
		Runtime.getRuntime().removeShutdownHook(this.hook);
		remove();
	}

	private void remove() {
		for (Process process : this.processes) {
			process.destroyForcibly().onExit().join();
		}
		try {
			removeNamespaces();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** Those of this JVM, and those of JVMs that are there no more. */
	private static void removeNamespaces() throws IOException {
		for (String line : run("ip", "netns", "list").lines().toList()) {
			String namespace = line.split(" ")[0];
			if (isObsolete(namespace)) {
				for (String process : run("ip", "netns", "pids", namespace).lines().toList()) {
					ProcessHandle.of(Long.parseLong(process.strip())).ifPresent(ProcessHandle::destroyForcibly);
				}
				// Its end of a pair of interfaces goes with it, and the other end with
				// that.
				run("ip", "netns", "del", namespace);
			}
		}
	}

	private static boolean isObsolete(String namespace) {
		Matcher name = NAMES.matcher(namespace);
		return name.matches()
				&& (namespace.startsWith(NAME + "-") || ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty());
	}

	private static String run(String... command) throws IOException {
		Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
		process.getOutputStream().close();
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		try {
			if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
				throw new IOException(String.join(" ", command) + ": " + output.strip());
			}
		}
		catch (InterruptedException ex) {
			process.destroyForcibly();
			Thread.currentThread().interrupt();
			throw new IOException("Interrupted", ex);
		}
		return output;
	}

}
