package io.github.consullock.testserver;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent that is a process of this machine.
 */
final class LocalNode implements ConsulNode {

	private static final Logger logger = LoggerFactory.getLogger(LocalNode.class);

	private static final int LOG_TAIL_LINES = 40;

	private final String name;

	private final AgentPorts ports;

	private final List<String> command;

	private final Path directory;

	private final Path log;

	private volatile @Nullable SupervisedProcess process;

	/**
	 * An agent that is not running yet.
	 * @param name its node name
	 * @param ports its ports
	 * @param command what starts it
	 * @param directory what is to be removed when this JVM ends
	 * @param log the file for its output
	 */
	LocalNode(String name, AgentPorts ports, List<String> command, Path directory, Path log) {
		this.name = name;
		this.ports = ports;
		this.command = command;
		this.directory = directory;
		this.log = log;
	}

	@Override
	public String name() {
		return this.name;
	}

	@Override
	public String host() {
		return LocalConsul.HOST;
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
			this.process = SupervisedProcess.start(this.command, this.directory, this.log);
		}
		catch (IOException ex) {
			throw Readiness.ended(this, String.valueOf(ex.getMessage()));
		}
	}

	@Override
	public boolean isRunning() {
		SupervisedProcess current = this.process;
		return current != null && current.isRunning();
	}

	@Override
	public void kill() throws IOException {
		SupervisedProcess current = this.process;
		if (current != null) {
			current.kill();
			this.process = null;
		}
	}

	@Override
	public void pause() throws IOException {
		running().pause();
	}

	@Override
	public void resume() throws IOException {
		running().resume();
	}

	private SupervisedProcess running() throws IOException {
		SupervisedProcess current = this.process;
		if (current == null || !current.isRunning()) {
			throw new IOException("The agent %s is not running".formatted(this.name));
		}
		return current;
	}

	@Override
	public OptionalLong processId() {
		SupervisedProcess current = this.process;
		return (current != null && current.isRunning()) ? OptionalLong.of(current.processId()) : OptionalLong.empty();
	}

	@Override
	public String logTail() {
		try {
			List<String> lines = new String(Files.readAllBytes(this.log), StandardCharsets.UTF_8).lines().toList();
			return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
		}
		catch (IOException ex) {
			return "(no log: %s)".formatted(ex);
		}
	}

	@Override
	public void remove() {
		try {
			kill();
		}
		catch (IOException ex) {
			logger.warn("The agent {} may still be there", this.name, ex);
		}
	}

}
