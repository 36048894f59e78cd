package io.github.consullock;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Another JVM, that reads commands from its input, ends with it, and
 * {@link #answer(String) answers}.
 */
public final class OtherProcess implements AutoCloseable {

	private static final String ANSWER = "> ";

	private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

	private final List<String> output = new CopyOnWriteArrayList<>();

	private final Process process;

	private final BufferedWriter input;

	public OtherProcess(Class<?> main, String... arguments) throws IOException {
		this(Map.of(), main, arguments);
	}

	/**
	 * Starts a JVM.
	 * @param environment what its environment has besides that of this process
	 */
	public OtherProcess(Map<String, String> environment, Class<?> main, String... arguments) throws IOException {
		List<String> command = new ArrayList<>(List.of(
				Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx192m", "-XX:+UseSerialGC",
				"-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), main.getName()));
		command.addAll(List.of(arguments));
		ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
		builder.environment().putAll(environment);
		this.process = builder.start();
		this.input = this.process.outputWriter(StandardCharsets.UTF_8);
		Thread reader = new Thread(this::read, "output-" + this.process.pid());
		reader.setDaemon(true);
		reader.start();
	}

	private void read() {
		try (BufferedReader reader = this.process.inputReader(StandardCharsets.UTF_8)) {
			for (String line = reader.readLine(); line != null; line = reader.readLine()) {
				this.output.add(line);
				if (line.startsWith(ANSWER)) {
					this.answers.add(line.substring(ANSWER.length()));
				}
			}
		}
		catch (IOException ex) {
			// It has ended.
		}
	}

	/** Called by the other process. */
	public static void answer(String answer) {
		System.out.println(ANSWER + answer);
	}

	/** Has it do something, and waits until it answers. */
	public String ask(String command) throws IOException, InterruptedException {
		tell(command);
		return next();
	}

	public void tell(String command) throws IOException {
		this.input.write(command);
		this.input.newLine();
		this.input.flush();
	}

	public String next() throws InterruptedException {
		String answer = this.answers.poll(2, TimeUnit.MINUTES);
		assertThat(answer).as("the output: %s", this.output).isNotNull();
		return answer;
	}

	/** It has no time to release anything. */
	public void kill() {
		this.process.destroyForcibly().onExit().join();
	}

	/** It is asked to end, by SIGTERM, and has time to. */
	public void terminate() {
		this.process.destroy();
		this.process.onExit().join();
	}

	/** It stands still until {@link #resume}. */
	public void pause() throws IOException, InterruptedException {
		signal("-STOP");
	}

	public void resume() throws IOException, InterruptedException {
		signal("-CONT");
	}

	private void signal(String signal) throws IOException, InterruptedException {
		int status = new ProcessBuilder("kill", signal, String.valueOf(this.process.pid())).start().waitFor();
		assertThat(status).isZero();
	}

	@Override
	public void close() throws IOException, InterruptedException {
		if (this.process.isAlive()) {
			this.input.close();
			if (!this.process.waitFor(30, TimeUnit.SECONDS)) {
				kill();
			}
		}
	}

}
