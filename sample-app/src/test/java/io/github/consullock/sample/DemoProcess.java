package io.github.consullock.sample;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;

/**
 * An instance of the sample in a process of its own, which ends with this one.
 */
final class DemoProcess implements AutoCloseable {

	private static final int LOG_TAIL = 60;

	private static final Duration STOP_TIMEOUT = Duration.ofSeconds(12);

	private final ConcurrentLinkedDeque<String> log = new ConcurrentLinkedDeque<>();

	private final String name;

	private final Process process;

	private DemoProcess(String name, Process process) {
		this.name = name;
		this.process = process;
	}

	/**
	 * Starts an instance, and does not wait for it.
	 * @param name its name
	 * @param jar the application
	 * @param consul where Consul is
	 * @param receiver where webhooks for the receiver {@code slow} go
	 * @param echo is given each line that it logs
	 * @return the starting instance
	 */
	static DemoProcess start(String name, Path jar, URI consul, URI receiver, DemoStage.Log echo) {
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.addAll(List.of("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", jar.toString()));
		command.addAll(List.of("--sample.instance=" + name, "--sample.receivers.slow=" + receiver,
				"--sample.exit-with-stdin=true", "--server.port=0", "--server.address=127.0.0.1",
				"--spring.cloud.consul.host=" + consul.getHost(), "--spring.cloud.consul.port=" + consul.getPort(),
				"--spring.cloud.consul.discovery.ip-address=127.0.0.1",
				// A Consul in a container could not reach it for a health check.
				"--spring.cloud.consul.discovery.heartbeat.enabled=true",
				"--spring.cloud.consul.discovery.heartbeat.ttl=5s", "--spring.main.banner-mode=off",
				"--logging.level.root=WARN", "--logging.level.io.github.consullock=INFO",
				"--logging.pattern.console=%d{HH:mm:ss.SSS} %-5level %logger{0} - %msg%n"));
		try {
			DemoProcess process = new DemoProcess(name, new ProcessBuilder(command).redirectErrorStream(true).start());
			Thread reader = new Thread(() -> process.readLog(echo), "log-" + name);
			reader.setDaemon(true);
			reader.start();
			return process;
		}
		catch (IOException ex) {
			throw new UncheckedIOException("Instance " + name + " could not be started", ex);
		}
	}

	private void readLog(DemoStage.Log echo) {
		try (BufferedReader reader = new BufferedReader(
				new InputStreamReader(this.process.getInputStream(), StandardCharsets.UTF_8))) {
			for (String line = reader.readLine(); line != null; line = reader.readLine()) {
				this.log.addLast(line);
				if (this.log.size() > LOG_TAIL) {
					this.log.pollFirst();
				}
				echo.line(this.name + " | " + line);
			}
		}
		catch (IOException ex) {
			this.log.addLast("The log ends here: " + ex);
		}
	}

	String name() {
		return this.name;
	}

	long pid() {
		return this.process.pid();
	}

	boolean isAlive() {
		return this.process.isAlive();
	}

	String logTail() {
		return String.join("\n", this.log);
	}

	/**
	 * Ends it as {@code kill -9} does, and waits until it is gone.
	 */
	void kill() {
		this.process.destroyForcibly().onExit().join();
	}

	/**
	 * Asks it to shut down, and returns at once.
	 */
	void shutDown() {
		try {
			this.process.getOutputStream().close();
		}
		catch (IOException ex) {
			// It is gone already.
		}
	}

	/**
	 * Shuts it down, or kills it if that takes too long.
	 */
	@Override
	public void close() {
		shutDown();
		try {
			if (!this.process.waitFor(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
				kill();
			}
		}
		catch (InterruptedException ex) {
			kill();
			Thread.currentThread().interrupt();
		}
	}

}
