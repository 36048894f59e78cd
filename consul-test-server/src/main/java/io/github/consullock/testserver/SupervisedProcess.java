package io.github.consullock.testserver;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;

/**
 * An agent under a small shell that outlives this JVM by a moment: the shell waits on a
 * pipe whose other end is here, and which the system closes however the JVM ends, even by
 * {@code kill -9}. It then kills the agent, frozen or not, and removes its files. Should
 * the shell be killed instead, the JVM does it.
 */
final class SupervisedProcess {

	/** What the shell is told when the agent is to end and its files are to stay. */
	private static final String KEEP = "keep";

	/**
	 * The order is sent twice: the first line is for the watcher, the second for the main
	 * part. The main part reads for itself once the agent is gone, so that nobody holds a
	 * process id that the system may give to another process.
	 */
	private static final String SCRIPT = """
			trap '' HUP INT TERM
			directory=$1 log=$2
			shift 2
			exec 3<&0
			"$@" </dev/null 3<&- >>"$log" 2>&1 &
			agent=$!
			echo "$agent"
			{ read -r order <&3; kill -9 "$agent"; } 2>/dev/null &
			watcher=$!
			wait "$agent" 2>/dev/null
			kill -9 "$watcher" 2>/dev/null
			read -r order <&3
			[ "$order" = keep ] || rm -rf "$directory" 2>/dev/null
			""";

	private static final Duration END_TIMEOUT = Duration.ofSeconds(20);

	private final Process shell;

	private final ProcessHandle agent;

	private SupervisedProcess(Process shell, ProcessHandle agent) {
		this.shell = shell;
		this.agent = agent;
	}

	/**
	 * Starts a command.
	 * @param command the command and its arguments
	 * @param directory removed with all its content if this JVM ends before
	 * {@link #kill()}
	 * @param log the file that its output is appended to
	 * @return the running process
	 * @throws IOException if it cannot be started
	 */
	static SupervisedProcess start(List<String> command, Path directory, Path log) throws IOException {
		List<String> supervised = new ArrayList<>();
		// A session of its own: Ctrl-C in a terminal is for the application, which may
		// still want to say goodbye to its Consul.
		Path setsid = ConsulBinary.onPath("setsid");
		if (setsid != null) {
			supervised.add(setsid.toString());
		}
		supervised.addAll(List.of("sh", "-c", SCRIPT, "consul-supervisor", directory.toString(), log.toString()));
		supervised.addAll(command);
		Process shell = new ProcessBuilder(supervised).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
			.start();
		String line = firstLine(shell);
		if (line == null) {
			shell.destroyForcibly();
			throw new IOException("'%s' could not be started by sh".formatted(command.get(0)));
		}
		ProcessHandle agent = ProcessHandle.of(Long.parseLong(line)).orElse(null);
		if (agent == null) {
			shell.destroyForcibly();
			throw new IOException("'%s' ended at once".formatted(String.join(" ", command)));
		}
		shell.onExit().thenRun(agent::destroyForcibly);
		return new SupervisedProcess(shell, agent);
	}

	private static @Nullable String firstLine(Process shell) throws IOException {
		// Left open: the shell prints one line only, and closing is the process's affair.
		return new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.US_ASCII)).readLine();
	}

	boolean isRunning() {
		return this.agent.isAlive();
	}

	long processId() {
		return this.agent.pid();
	}

	/**
	 * Ends the process at once, frozen or not, and waits until it is gone. Its files
	 * stay.
	 * @throws IOException if it does not end
	 */
	void kill() throws IOException {
		try (var order = this.shell.getOutputStream()) {
			order.write((KEEP + "\n" + KEEP + "\n").getBytes(StandardCharsets.US_ASCII));
		}
		catch (IOException ex) {
			// The shell is gone, and the agent with it, or about to be.
			this.agent.destroyForcibly();
		}
		try {
			if (!this.shell.waitFor(END_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
				this.shell.destroyForcibly();
				throw new IOException(
						"Consul, process %d, did not end within %s of a kill".formatted(processId(), END_TIMEOUT));
			}
		}
		catch (InterruptedException ex) {
			this.shell.destroyForcibly();
			Thread.currentThread().interrupt();
			throw new InterruptedIOException("Interrupted while waiting for Consul to end");
		}
	}

	/**
	 * Freezes the process, and returns when none of its threads runs any more.
	 * @throws IOException if it does not freeze
	 */
	void pause() throws IOException {
		signal("STOP");
		// The signal is sent, but each thread stops when the system comes to it.
		Path threads = Path.of("/proc", Long.toString(processId()), "task");
		long start = System.nanoTime();
		while (Files.isDirectory(threads) && !areStopped(threads)) {
			if (System.nanoTime() - start > END_TIMEOUT.toNanos()) {
				throw new IOException(
						"Consul, process %d, did not freeze within %s".formatted(processId(), END_TIMEOUT));
			}
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
		}
	}

	private static boolean areStopped(Path threads) {
		try (DirectoryStream<Path> all = Files.newDirectoryStream(threads)) {
			for (Path thread : all) {
				String status = Files.readString(thread.resolve("stat"));
				// The state follows the name in brackets, which may have any character.
				if (status.charAt(status.lastIndexOf(')') + 2) != 'T') {
					return false;
				}
			}
			return true;
		}
		catch (IOException | DirectoryIteratorException ex) {
			// A thread has ended while it was looked at.
			return false;
		}
	}

	void resume() throws IOException {
		signal("CONT");
	}

	private void signal(String name) throws IOException {
		// The shell's own kill, since a minimal image has no other.
		ExternalCommand.of("sh", "-c", "kill -" + name + " " + processId()).run(END_TIMEOUT);
	}

}
