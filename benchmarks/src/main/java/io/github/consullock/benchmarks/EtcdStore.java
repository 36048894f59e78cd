package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/**
 * An etcd.
 *
 * @param address its address
 * @param version its version
 * @param process the server
 */
record EtcdStore(URI address, String version, ServerProcess process) implements Store {

	static Store start() throws IOException, InterruptedException, MissingException {
		String program = ServerProcess.program("etcd", "etcd-server").toString();
		int port = ServerProcess.freePort();
		String client = "http://127.0.0.1:" + port;
		String peer = "http://127.0.0.1:" + ServerProcess.freePort();
		Path folder = ServerProcess.folder();
		ServerProcess process = ServerProcess.start(folder, port,
				List.of(program, "--data-dir", folder.resolve("data").toString(), "--listen-client-urls", client,
						"--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls",
						peer, "--initial-cluster", "default=" + peer));
		String version = ServerProcess.output(program, "--version").replace(" Version:", "");
		return new EtcdStore(URI.create(client), version, process);
	}

	@Override
	public StoreKind kind() {
		return StoreKind.ETCD;
	}

	@Override
	public void close() {
		this.process.close();
	}

}
