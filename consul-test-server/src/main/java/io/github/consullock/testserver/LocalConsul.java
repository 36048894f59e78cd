package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Agents as processes of this machine, all on the loopback address.
 *
 * @param binary the executable
 */
record LocalConsul(ConsulBinary binary) implements ConsulSource {

	static final String HOST = "127.0.0.1";

	private static final int UNIQUE_LENGTH = 8;

	@Override
	public String description() {
		return "%s (version %d.%d)".formatted(this.binary.path(), this.binary.major(), this.binary.minor());
	}

	@Override
	public List<ConsulNode> prepare(ConsulServerOptions options, Path directory) throws IOException {
		Path tlsDirectory = directory.resolve("tls");
		if (options.tls()) {
			ServerCertificate.create(tlsDirectory, List.of("dns:localhost", "ip:" + HOST));
		}
		List<AgentPorts> ports = new ArrayList<>();
		for (int i = 0; i < options.agents(); i++) {
			ports.add(AgentPorts.free(options, i));
		}
		List<String> join = ports.stream().map((each) -> HOST + ":" + each.serf()).toList();
		String unique = UUID.randomUUID().toString().substring(0, UNIQUE_LENGTH);
		List<ConsulNode> nodes = new ArrayList<>();
		for (int i = 0; i < options.agents(); i++) {
			// Unique, so that whoever listens on our port cannot be mistaken for ours.
			String name = "test-%s-%d".formatted(unique, i + 1);
			Path home = directory.resolve(name);
			Path configuration = home.resolve("config");
			new AgentConfiguration(name, options.isServer(i), home.resolve("data").toString(),
					"\"bind_addr\": \"%s\", \"client_addr\": \"%s\"".formatted(HOST, HOST), ports(ports.get(i)), join,
					options.tls() ? tlsDirectory.toString() : null)
				.writeTo(configuration, options);
			Files.createDirectories(home.resolve("data"));
			nodes.add(new LocalNode(name, ports.get(i),
					List.of(this.binary.path().toString(), "agent", "-config-dir=" + configuration), directory,
					home.resolve("consul.log")));
		}
		return nodes;
	}

	private String ports(AgentPorts ports) {
		String json = "\"http\": %d, \"https\": %d, \"server\": %d, \"serf_lan\": %d, \"serf_wan\": -1, \"dns\": -1, \"grpc\": -1"
			.formatted(ports.http(), ports.https(), ports.server(), ports.serf());
		// From 1.14 a server listens on 8503 unless told not to; older ones do not know
		// it.
		return this.binary.isAtLeast(1, 14) ? json + ", \"grpc_tls\": -1" : json;
	}

}
