package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.springframework.util.FileSystemUtils;

/**
 * A server of this run: its files in a temporary folder, gone with this JVM.
 */
final class ServerProcess implements AutoCloseable {

	private static final Duration START_LIMIT = Duration.ofSeconds(30);

	private final Process process;

	private final Path folder;

	private final Thread shutdown = new Thread(this::end, "end-of-server");

	private ServerProcess(Process process, Path folder) {
		this.process = process;
		this.folder = folder;
		Runtime.getRuntime().addShutdownHook(this.shutdown);
	}

	static Path folder() throws IOException {
		return Files.createTempDirectory("consul-lock-benchmarks");
	}

	/**
	 * Starts a server and waits until it takes connections.
	 */
	static ServerProcess start(Path folder, int port, List<String> command) throws IOException, InterruptedException {
		Path log = folder.resolve("server.log");
		Process process = new ProcessBuilder(command).directory(folder.toFile())
			.redirectErrorStream(true)
			.redirectOutput(log.toFile())
			.start();
		ServerProcess server = new ServerProcess(process, folder);
		long deadline = System.nanoTime() + START_LIMIT.toNanos();
		while (!listens(port)) {
			if (!process.isAlive() || System.nanoTime() > deadline) {
				String said = Files.readString(log);
				server.close();
				throw new IOException("'" + String.join(" ", command) + "' did not start: " + said);
			}
			TimeUnit.MILLISECONDS.sleep(50);
		}
		return server;
	}

	private static boolean listens(int port) {
		try (Socket socket = new Socket()) {
			socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
			return true;
		}
		catch (IOException ex) {
			return false;
		}
	}

	static int freePort() throws IOException {
		try (ServerSocket socket = new ServerSocket(0)) {
			return socket.getLocalPort();
		}
	}

	/**
	 * The path of a program.
	 * @throws MissingException if it is not on the {@code PATH}
	 */
	static Path program(String name, String debianPackage) throws MissingException {
		String path = String.valueOf(System.getenv("PATH"));
		return Arrays.stream(path.split(":", -1))
			.map((directory) -> Path.of(directory, name))
			.filter(Files::isExecutable)
			.findFirst()
			.orElseThrow(() -> new MissingException(
					"there is no " + name + " on the PATH (Debian: apt-get install " + debianPackage + ")"));
	}

	/** What a program says, its first line; nothing if it is not there. */
	static String output(String... command) throws InterruptedException {
		try {
			Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
			String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
			process.waitFor();
			return output.strip().lines().findFirst().orElse("");
		}
		catch (IOException ex) {
			return "";
		}
	}

	private void end() {
		this.process.destroyForcibly().onExit().join();
		FileSystemUtils.deleteRecursively(this.folder.toFile());
	}

	@Override
	public void close() {
		end();
		Runtime.getRuntime().removeShutdownHook(this.shutdown);
	}

}
