package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/**
 * A Redis.
 *
 * @param kind whether it writes to disk
 * @param address its address
 * @param version its version
 * @param process the server
 */
record RedisStore(StoreKind kind, URI address, String version, ServerProcess process) implements Store {

	static Store start(StoreKind kind) throws IOException, InterruptedException, MissingException {
		String program = ServerProcess.program("redis-server", "redis-server").toString();
		int port = ServerProcess.freePort();
		List<String> command = new ArrayList<>(
				List.of(program, "--bind", "127.0.0.1", "--port", Integer.toString(port), "--save", ""));
		if (kind == StoreKind.REDIS_DISK) {
			command.addAll(List.of("--appendonly", "yes", "--appendfsync", "always"));
		}
		ServerProcess process = ServerProcess.start(ServerProcess.folder(), port, command);
		String version = "Redis " + ServerProcess.output(program, "--version").replaceAll(".*v=(\\S+).*", "$1");
		return new RedisStore(kind, URI.create("redis://127.0.0.1:" + port), version, process);
	}

	@Override
	public void close() {
		this.process.close();
	}

}
