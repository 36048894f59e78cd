package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;

import io.github.consullock.testserver.ConsulServer;

/**
 * Agents that can be killed and paused.
 */
final class Cluster extends Agents {

	private static final Duration LONG = Duration.ofMinutes(2);

	private final ConsulServer consul;

	Cluster(int raftMultiplier) {
		this.consul = ConsulServer.builder()
			.clusterSize(SERVERS)
			.clientAgent()
			.configuration("{\"performance\": {\"raft_multiplier\": " + raftMultiplier + "}}")
			.startTimeout(LONG)
			.start();
		awaitWhole();
	}

	ConsulServer consul() {
		return this.consul;
	}

	@Override
	URI address(int agent) {
		return this.consul.httpUri(agent);
	}

	@Override
	boolean isRunning(int agent) {
		return this.consul.isRunning(agent);
	}

	@Override
	public void close() {
		this.consul.close();
	}

}
