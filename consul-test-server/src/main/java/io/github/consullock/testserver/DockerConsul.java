package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.consul.ConsulContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.ImageNameSubstitutor;

/**
 * Agents in containers. Loaded only where Testcontainers is there.
 *
 * @param image the image with its tag
 */
record DockerConsul(String image) implements ConsulSource {

	private static final Logger logger = LoggerFactory.getLogger(DockerConsul.class);

	private static final String DEFAULT_IMAGE = "hashicorp/consul:1.21";

	private static final String OFFICIAL_IMAGE = "hashicorp/consul";

	private static final String HOME = "/consul/test";

	private static final String TLS = HOME + "/tls";

	private static final int HTTP = 8500;

	private static final int HTTPS = 8501;

	private static final int SERF = 8301;

	private static final int UNIQUE_LENGTH = 8;

	/** Readable for whatever user the image runs Consul as; nothing here is a secret. */
	private static final int READABLE = 0644;

	static ConsulSource find() throws SourceUnavailableException {
		String image = Setting.IMAGE.value();
		return find((image != null) ? image : DEFAULT_IMAGE);
	}

	static ConsulSource find(String image) throws SourceUnavailableException {
		if (!DockerClientFactory.instance().isDockerAvailable()) {
			throw new SourceUnavailableException("no Docker daemon answers");
		}
		try {
			provide(image);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new ConsulServerException("Interrupted while pulling the image " + image, ex);
		}
		catch (RuntimeException ex) {
			throw new SourceUnavailableException(
					"the image %s cannot be had, choose another by CONSUL_IMAGE (or consul.image): %s".formatted(image,
							ex.getMessage()));
		}
		return new DockerConsul(image);
	}

	/**
	 * Pulls the image now, while there still are other ways to get a Consul, and once:
	 * Testcontainers would go on trying for minutes where no registry is in reach.
	 * @param image the image
	 */
	private static void provide(String image) throws InterruptedException {
		DockerImageName name = ImageNameSubstitutor.instance().apply(DockerImageName.parse(image));
		DockerClient docker = DockerClientFactory.lazyClient();
		try {
			docker.inspectImageCmd(name.asCanonicalNameString()).exec();
		}
		catch (NotFoundException ex) {
			logger.info("Pulling the image {}; this can take a minute", name);
			docker.pullImageCmd(name.getUnversionedPart()).withTag(name.getVersionPart()).start().awaitCompletion();
		}
	}

	@Override
	public String description() {
		return "image %s in Docker".formatted(this.image);
	}

	@Override
	public List<ConsulNode> prepare(ConsulServerOptions options, Path directory) throws IOException {
		String host = DockerClientFactory.instance().dockerHostIpAddress();
		Path tlsDirectory = directory.resolve("tls");
		if (options.tls()) {
			ServerCertificate.create(tlsDirectory, certificateNames(host));
		}
		String unique = UUID.randomUUID().toString().substring(0, UNIQUE_LENGTH);
		List<String> names = new ArrayList<>();
		for (int i = 0; i < options.agents(); i++) {
			names.add("test-%s-%d".formatted(unique, i + 1));
		}
		List<String> join = names.stream().map((name) -> name + ":" + SERF).toList();
		Network network = (options.agents() > 1) ? Network.newNetwork() : null;
		List<ConsulNode> nodes = new ArrayList<>();
		for (int i = 0; i < options.agents(); i++) {
			String name = names.get(i);
			Path configuration = directory.resolve(name);
			new AgentConfiguration(name, options.isServer(i), "/consul/data",
					"\"bind_addr\": \"0.0.0.0\", \"advertise_addr\": \"{{ GetPrivateIP }}\", \"client_addr\": \"0.0.0.0\"",
					"\"http\": %d, \"https\": %d".formatted(HTTP, options.tls() ? HTTPS : AgentPorts.NONE), join,
					options.tls() ? TLS : null)
				.writeTo(configuration, options);
			AgentPorts ports = AgentPorts.free(options, i);
			ConsulContainer container = container(name, ports, network);
			copy(configuration, HOME, container);
			if (options.tls()) {
				copy(tlsDirectory, TLS, container);
			}
			boolean last = i == options.agents() - 1;
			nodes.add(new DockerNode(name, host, ports, container, last ? network : null));
		}
		return nodes;
	}

	private static List<String> certificateNames(String host) {
		List<String> names = new ArrayList<>(List.of("dns:localhost", "ip:127.0.0.1"));
		String name = (host.matches("[0-9.]+") ? "ip:" : "dns:") + host;
		if (!names.contains(name)) {
			names.add(name);
		}
		return names;
	}

	@SuppressWarnings("resource") // The node closes it.
	private ConsulContainer container(String name, AgentPorts ports, @Nullable Network network) {
		DockerImageName imageName = DockerImageName.parse(this.image).asCompatibleSubstituteFor(OFFICIAL_IMAGE);
		ConsulContainer container = new ConsulContainer(imageName).withCommand("agent", "-config-dir=" + HOME)
			.waitingFor(new DockerNode.NoWait());
		List<String> bindings = new ArrayList<>(List.of(ports.http() + ":" + HTTP));
		List<Integer> exposed = new ArrayList<>(List.of(HTTP));
		if (ports.https() != AgentPorts.NONE) {
			bindings.add(ports.https() + ":" + HTTPS);
			exposed.add(HTTPS);
		}
		container.setExposedPorts(exposed);
		// Fixed: Docker would give other ports to a container that is started again.
		container.setPortBindings(bindings);
		if (network != null) {
			container.withNetwork(network).withNetworkAliases(name);
		}
		return container;
	}

	private static void copy(Path directory, String target, ConsulContainer container) throws IOException {
		try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
			for (Path file : files) {
				container.withCopyToContainer(Transferable.of(Files.readAllBytes(file), READABLE),
						target + "/" + file.getFileName());
			}
		}
	}

}
