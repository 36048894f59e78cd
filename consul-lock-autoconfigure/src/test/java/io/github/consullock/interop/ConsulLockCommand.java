package io.github.consullock.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.Assumptions;

/**
 * A {@code consul lock} whose child is {@code cat}: it runs as long as the lock is held,
 * and answers only then.
 */
final class ConsulLockCommand implements AutoCloseable {

	private static final String WORD = "running";

	private final Process process;

	private final Writer input;

	private final CompletableFuture<String> firstLine;

	private ConsulLockCommand(Process process) {
		this.process = process;
		this.input = process.outputWriter();
		BufferedReader output = process.inputReader();
		this.firstLine = CompletableFuture.supplyAsync(() -> {
			try {
				return String.valueOf(output.readLine());
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}, (task) -> {
			Thread thread = new Thread(task, "consul-lock-command");
			thread.setDaemon(true);
			thread.start();
		});
	}

	/**
	 * The command of the Consul that runs; where that is in a container, the test that
	 * asks for it is skipped.
	 */
	static String executable(ConsulServer consul) {
		List<Long> processes = consul.processIds();
		Assumptions.assumeFalse(processes.isEmpty(),
				"No test against the consul command: Consul runs in a container here");
		return ProcessHandle.of(processes.get(0))
			.flatMap((process) -> process.info().command())
			.orElseThrow(() -> new IllegalStateException("This system does not say what a process runs"));
	}

	static ConsulLockCommand start(String executable, URI consul, String... arguments) {
		List<String> command = new ArrayList<>(List.of(executable, "lock", "-pass-stdin", "-shell=false"));
		command.addAll(List.of(arguments));
		command.add("cat");
		ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
		ExternalConsul.environment(builder, consul);
		try {
			ConsulLockCommand lock = new ConsulLockCommand(builder.start());
			lock.input.write(WORD + "\n");
			lock.input.flush();
			return lock;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** Whether the child runs, and so the lock is held. */
	boolean isRunning() {
		return this.firstLine.getNow("").equals(WORD);
	}

	/** Waits until the child runs, and so the lock is held. */
	ConsulLockCommand awaitRunning() {
		String line = this.firstLine.orTimeout(2, TimeUnit.MINUTES).join();
		if (!line.equals(WORD)) {
			throw new IllegalStateException("consul lock did not run its child, but said: " + line);
		}
		return this;
	}

	/** Ends the child, and waits for the command to give the lock up. */
	int end() {
		try {
			this.input.close();
		}
		catch (IOException ex) {
			// The child has ended already.
		}
		return status();
	}

	/** Waits for the command to end by itself. */
	int status() {
		try {
			if (!this.process.waitFor(2, TimeUnit.MINUTES)) {
				throw new IllegalStateException("consul lock does not end");
			}
			return this.process.exitValue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public void close() {
		this.process.descendants().forEach(ProcessHandle::destroyForcibly);
		this.process.destroyForcibly();
	}

}
