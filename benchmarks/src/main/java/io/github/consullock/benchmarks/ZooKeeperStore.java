package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A ZooKeeper, as Debian packages it.
 *
 * @param address its address
 * @param version its version
 * @param process the server
 */
record ZooKeeperStore(URI address, String version, ServerProcess process) implements Store {

	private static final Path JAR = Path.of("/usr/share/java/zookeeper.jar");

	static Store start() throws IOException, InterruptedException, MissingException {
		if (!Files.exists(JAR)) {
			throw new MissingException("there is no " + JAR + " (Debian: apt-get install zookeeper)");
		}
		int port = ServerProcess.freePort();
		Path folder = ServerProcess.folder();
		Files.writeString(folder.resolve("zoo.cfg"), """
				dataDir=%s
				clientPort=%d
				clientPortAddress=127.0.0.1
				admin.enableServer=false
				maxClientCnxns=0
				""".formatted(folder.resolve("data"), port));
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		ServerProcess process = ServerProcess.start(folder, port,
				List.of(java, "-cp", JAR.toString(), "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg"));
		return new ZooKeeperStore(URI.create("zookeeper://127.0.0.1:" + port), "ZooKeeper " + jarVersion(), process);
	}

	/** Of the file's other name; the jar itself does not say. */
	private static String jarVersion() throws IOException {
		try (Stream<Path> files = Files.list(JAR.resolveSibling("."))) {
			return files.map((file) -> file.getFileName().toString())
				.filter((name) -> name.matches("zookeeper-[0-9.]+\\.jar"))
				.findFirst()
				.orElse("")
				.replaceAll("zookeeper-|\\.jar", "");
		}
	}

	@Override
	public StoreKind kind() {
		return StoreKind.ZOOKEEPER;
	}

	@Override
	public void close() {
		this.process.close();
	}

}
