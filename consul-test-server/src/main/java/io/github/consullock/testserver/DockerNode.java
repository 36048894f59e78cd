package io.github.consullock.testserver;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.consul.ConsulContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;

/**
 * An agent in a container. Killed and started again it is the same container, with its
 * data and its ports.
 */
final class DockerNode implements ConsulNode {

	private static final Logger logger = LoggerFactory.getLogger(DockerNode.class);

	private static final int LOG_TAIL_LINES = 40;

	private final String name;

	private final String host;

	private final AgentPorts ports;

	private final ConsulContainer container;

	private final @Nullable Network network;

	/**
	 * An agent that is not running yet.
	 * @param name its node name
	 * @param host where Docker publishes its ports
	 * @param ports those ports
	 * @param container its container
	 * @param network the network to remove with it
	 */
	DockerNode(String name, String host, AgentPorts ports, ConsulContainer container, @Nullable Network network) {
		this.name = name;
		this.host = host;
		this.ports = ports;
		this.container = container;
		this.network = network;
	}

	@Override
	public String name() {
		return this.name;
	}

	@Override
	public String host() {
		return this.host;
	}

	@Override
	public int httpPort() {
		return this.ports.http();
	}

	@Override
	public OptionalInt httpsPort() {
		return (this.ports.https() != AgentPorts.NONE) ? OptionalInt.of(this.ports.https()) : OptionalInt.empty();
	}

	@Override
	public void start() throws IOException {
		try {
			if (this.container.getContainerId() == null) {
				this.container.start();
			}
			else {
				docker().startContainerCmd(this.container.getContainerId()).exec();
			}
		}
		catch (RuntimeException ex) {
			throw failure(ex);
		}
	}

	private static IOException failure(RuntimeException ex) {
		StringBuilder messages = new StringBuilder();
		for (Throwable cause = ex; cause != null; cause = cause.getCause()) {
			messages.append(messages.isEmpty() ? "" : ": ").append(cause.getMessage());
		}
		String message = messages.toString();
		return (message.contains("port is already allocated") || message.contains("address already in use"))
				? new PortTakenException(message) : new IOException(message, ex);
	}

	private DockerClient docker() {
		return this.container.getDockerClient();
	}

	private InspectContainerResponse.@Nullable ContainerState state() {
		String id = this.container.getContainerId();
		if (id == null) {
			return null;
		}
		try {
			return docker().inspectContainerCmd(id).exec().getState();
		}
		catch (NotFoundException ex) {
			return null;
		}
	}

	@Override
	public boolean isRunning() {
		InspectContainerResponse.ContainerState state = state();
		return state != null && Boolean.TRUE.equals(state.getRunning());
	}

	@Override
	public void kill() throws IOException {
		try {
			if (isRunning()) {
				thaw();
				docker().killContainerCmd(this.container.getContainerId()).exec();
			}
		}
		catch (DockerException ex) {
			throw failure(ex);
		}
	}

	@Override
	public void pause() throws IOException {
		try {
			docker().pauseContainerCmd(this.container.getContainerId()).exec();
		}
		catch (DockerException ex) {
			throw failure(ex);
		}
	}

	@Override
	public void resume() throws IOException {
		try {
			thaw();
		}
		catch (DockerException ex) {
			throw failure(ex);
		}
	}

	private void thaw() {
		InspectContainerResponse.ContainerState state = state();
		if (state != null && Boolean.TRUE.equals(state.getPaused())) {
			docker().unpauseContainerCmd(this.container.getContainerId()).exec();
		}
	}

	@Override
	public OptionalLong processId() {
		return OptionalLong.empty();
	}

	@Override
	public String logTail() {
		try {
			List<String> lines = this.container.getLogs().lines().toList();
			return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
		}
		catch (RuntimeException ex) {
			return "(no log: %s)".formatted(ex);
		}
	}

	@Override
	public void remove() {
		try {
			thaw();
			this.container.stop();
			if (this.network != null) {
				this.network.close();
			}
		}
		catch (RuntimeException ex) {
			logger.warn("The container of {} may still be there", this.name, ex);
		}
	}

	/**
	 * Whether the agent is of use is asked elsewhere, and more thoroughly.
	 */
	static final class NoWait extends AbstractWaitStrategy {

		@Override
		protected void waitUntilReady() {
			// Nothing to wait for.
		}

	}

}
