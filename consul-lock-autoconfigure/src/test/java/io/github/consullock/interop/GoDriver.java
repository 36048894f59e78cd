package io.github.consullock.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process with locks of Consul's Go client: {@code src/test/go/lockdriver}, which says
 * what it can be told. Answers come in the order of the commands.
 */
final class GoDriver implements AutoCloseable {

	private final Process process;

	private final Writer commands;

	private final Queue<CompletableFuture<String>> answers = new ConcurrentLinkedQueue<>();

	private GoDriver(Process process) {
		this.process = process;
		this.commands = process.outputWriter(StandardCharsets.UTF_8);
		Thread reader = new Thread(this::readAnswers, "go-driver");
		reader.setDaemon(true);
		reader.start();
	}

	static GoDriver start(Path executable, URI consul) {
		ProcessBuilder builder = new ProcessBuilder(executable.toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT);
		ExternalConsul.environment(builder, consul);
		try {
			return new GoDriver(builder.start());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** Does a command, which must succeed. */
	GoDriver does(String command) {
		String answer = ask(command);
		if (answer.startsWith("error: ")) {
			throw new IllegalStateException("'" + command + "' in Go: " + answer);
		}
		return this;
	}

	/** The answer to a command. */
	String ask(String command) {
		return tell(command).orTimeout(2, TimeUnit.MINUTES).join();
	}

	/** The answer to a command when it comes. */
	CompletableFuture<String> tell(String command) {
		CompletableFuture<String> answer = new CompletableFuture<>();
		this.answers.add(answer);
		try {
			this.commands.write(command + "\n");
			this.commands.flush();
		}
		catch (IOException ex) {
			answer.completeExceptionally(ex);
		}
		return answer;
	}

	private void readAnswers() {
		try (BufferedReader reader = new BufferedReader(
				new InputStreamReader(this.process.getInputStream(), StandardCharsets.UTF_8))) {
			String line;
			while ((line = reader.readLine()) != null) {
				this.answers.remove().complete(line);
			}
		}
		catch (IOException ex) {
			// Closed.
		}
		this.answers.forEach((answer) -> answer.completeExceptionally(new IOException("The Go program has ended")));
	}

	/** Ends the process without a goodbye: its session is there until its TTL is over. */
	@Override
	public void close() {
		this.process.destroyForcibly();
	}

}
