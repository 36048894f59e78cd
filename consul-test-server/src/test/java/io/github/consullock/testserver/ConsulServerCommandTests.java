package io.github.consullock.testserver;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class ConsulServerCommandTests {

	@Test
	void runsUntilItsInputIsClosed(@TempDir Path directory) throws Exception {
		Path configuration = Files.writeString(directory.resolve("more.json"), "{\"log_level\": \"WARN\"}");
		int port = FreePorts.next();
		Process command = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
				System.getProperty("java.class.path"), ConsulServer.class.getName(), "--port=" + port, "--acl", "--tls",
				"--config=" + configuration)
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		List<String> lines = new ArrayList<>();
		try (OutputStream input = command.getOutputStream();
				BufferedReader output = new BufferedReader(
						new InputStreamReader(command.getInputStream(), StandardCharsets.UTF_8))) {
			String line = output.readLine();
			while (line != null && !line.equals("ready")) {
				lines.add(line);
				line = output.readLine();
			}
			assertThat(lines).contains("http=http://127.0.0.1:" + port)
				.anyMatch((each) -> each.startsWith("https=https://127.0.0.1:"))
				.anyMatch((each) -> each.matches("token=[0-9a-f-]{36}"))
				.anyMatch((each) -> each.matches("ca=/.*\\.pem"));
			assertThat(FreePorts.isFree(port)).isFalse();
			input.close();
			assertThat(command.waitFor()).isZero();
			assertThat(FreePorts.isFree(port)).isTrue();
		}
		finally {
			command.destroyForcibly();
		}
	}

	@Test
	void takesEachOption() {
		ConsulServerOptions options = ConsulServerCommand
			.parse(new String[] { "--cluster=3", "--datacenter=west", "--port=8500", "--acl" })
			.options();
		assertThat(options.clusterSize()).isEqualTo(3);
		assertThat(options.datacenter()).isEqualTo("west");
		assertThat(options.httpPort()).isEqualTo(8500);
		assertThat(options.acl()).isTrue();
		assertThat(options.tls()).isFalse();
	}

	@Test
	void refusesWhatItDoesNotUnderstand() {
		for (String wrong : List.of("--prot=8500", "--port", "--port=high", "--cluster=", "--config=/no/such/file")) {
			assertThatIllegalArgumentException().isThrownBy(() -> ConsulServerCommand.parse(new String[] { wrong }))
				.withMessageContaining(wrong)
				.withMessageContaining("Options:");
		}
	}

}
