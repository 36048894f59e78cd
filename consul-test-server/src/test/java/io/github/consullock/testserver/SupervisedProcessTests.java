package io.github.consullock.testserver;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

class SupervisedProcessTests {

	@ParameterizedTest
	@ValueSource(strings = { "running", "frozen", "restarted", "without-close" })
	void endsWithTheJvmThatStartedIt(String state) throws Exception {
		Process jvm = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
				System.getProperty("java.class.path"), StartsServer.class.getName(), state)
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		try (BufferedReader output = new BufferedReader(
				new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
			String line = output.readLine();
			while (line != null && !line.startsWith(StartsServer.MARK)) {
				line = output.readLine();
			}
			assertThat(line).isNotNull();
			String[] words = line.split(" ", -1);
			ProcessHandle consul = ProcessHandle.of(Long.parseLong(words[1])).orElseThrow();
			Path directory = Path.of(words[2]);
			assertThat(directory).exists();
			if (state.equals("without-close")) {
				jvm.getOutputStream().close(); // Lets it return from its main.
				assertThat(jvm.waitFor()).isZero();
			}
			else {
				assertThat(consul.isAlive()).isTrue();
				jvm.destroyForcibly().waitFor(); // SIGKILL
			}
			await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(consul.isAlive()).isFalse());
			await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(directory).doesNotExist());
		}
		finally {
			jvm.destroyForcibly();
		}
	}

	@Test
	void endsWhenItsSupervisorIsKilled() throws Exception {
		try (ConsulServer server = ConsulServer.start()) {
			ProcessHandle consul = ProcessHandle.of(server.processIds().get(0)).orElseThrow();
			assertThat(consul.parent().orElseThrow().destroyForcibly()).isTrue();
			await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(consul.isAlive()).isFalse());
		}
	}

	@Test
	void keepsItsFilesWhenKilledByRequest(@TempDir Path directory) throws IOException {
		Path file = Files.createFile(directory.resolve("data"));
		SupervisedProcess process = SupervisedProcess.start(List.of("sleep", "600"), directory,
				directory.resolve("log"));
		assertThat(process.isRunning()).isTrue();
		process.kill();
		assertThat(process.isRunning()).isFalse();
		assertThat(file).exists();
	}

	@Test
	void noticesWhenTheCommandEndsByItself(@TempDir Path directory) throws IOException {
		Path file = Files.createFile(directory.resolve("data"));
		Path end = directory.resolve("end");
		SupervisedProcess process = SupervisedProcess.start(
				List.of("sh", "-c", "while ! [ -e \"$0\" ]; do sleep 0.1; done", end.toString()), directory,
				directory.resolve("log"));
		assertThat(process.isRunning()).isTrue();
		Files.createFile(end);
		await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(process.isRunning()).isFalse());
		process.kill();
		assertThat(file).exists();
	}

	@Test
	void refusesToFreezeWhatIsNotThere() {
		try (ConsulServer server = ConsulServer.start()) {
			server.stopNode(0);
			assertThatExceptionOfType(ConsulServerException.class).isThrownBy(() -> server.pause(0))
				.withMessageContaining("not running");
		}
	}

	/**
	 * The JVM that is killed.
	 */
	static final class StartsServer {

		static final String MARK = "started ";

		private StartsServer() {
		}

		public static void main(String[] args) throws IOException {
			ConsulServer server = ConsulServer.start();
			long process = server.processIds().get(0);
			switch (args[0]) {
				case "frozen" -> server.pause();
				case "restarted" -> {
					server.stopNode(0);
					server.startNode(0);
					process = server.processIds().get(0);
				}
				default -> {
					// Stays as it is.
				}
			}
			System.out.println(MARK + process + " " + server.dataDir());
			System.out.flush();
			System.in.read();
		}

	}

}
