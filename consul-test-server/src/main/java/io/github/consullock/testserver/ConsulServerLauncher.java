package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a cluster up, with other ports if somebody was faster.
 */
final class ConsulServerLauncher {

	private static final Logger logger = LoggerFactory.getLogger(ConsulServerLauncher.class);

	private static final int ATTEMPTS = 5;

	private final ConsulServerOptions options;

	private final ConsulSource source;

	private final ConsulApi api = new ConsulApi();

	ConsulServerLauncher(ConsulServerOptions options, ConsulSource source) {
		this.options = options;
		this.source = source;
	}

	ConsulServer launch() {
		int port = this.options.httpPort();
		for (int attempt = 1;; attempt++) {
			if (port != ConsulServerOptions.ANY_PORT && !FreePorts.isFree(port)) {
				throw new ConsulServerException(
						"Port %d, asked for by httpPort, is taken; leave it out for a free one".formatted(port));
			}
			try {
				return launchOnce();
			}
			catch (PortTakenException ex) {
				if (attempt == ATTEMPTS) {
					throw failure(ex);
				}
				logger.info("A port was taken by somebody else, trying others");
				logger.debug("What it said", ex);
			}
			catch (IOException ex) {
				throw failure(ex);
			}
		}
	}

	private ConsulServerException failure(IOException ex) {
		return new ConsulServerException(
				"Consul, %s, did not start: %s".formatted(this.source.description(), ex.getMessage()), ex);
	}

	private ConsulServer launchOnce() throws IOException {
		Path directory = Files.createTempDirectory("consul-test-server-");
		List<ConsulNode> nodes = List.of();
		boolean started = false;
		try {
			nodes = this.source.prepare(this.options, directory);
			for (ConsulNode node : nodes) {
				node.start();
			}
			String token = awaitReady(nodes);
			started = true;
			return new ConsulServer(new ConsulCluster(this.options, directory, nodes, this.api, token));
		}
		finally {
			if (!started) {
				nodes.forEach(ConsulNode::remove);
				Directories.delete(directory);
			}
		}
	}

	private @Nullable String awaitReady(List<ConsulNode> nodes) throws IOException {
		Readiness readiness = new Readiness(this.api, this.options.startTimeout());
		String token = null;
		if (this.options.acl()) {
			token = readiness.awaitManagementToken(nodes.get(0));
			for (ConsulNode node : nodes) {
				readiness.awaitToken(node, token);
				readiness.awaitAgentToken(node, token);
			}
		}
		for (ConsulNode node : nodes) {
			readiness.awaitSession(node, token);
		}
		return token;
	}

}
