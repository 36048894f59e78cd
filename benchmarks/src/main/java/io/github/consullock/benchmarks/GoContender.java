package io.github.consullock.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The lock of Consul's Go client, in a process of its own, {@code src/main/go/golock}.
 */
final class GoContender implements Contender {

	static final String SHARED = "Go api.Lock, shared session";

	private static final Path SOURCE = Path.of("benchmarks/src/main/go/golock");

	private static final Path PROGRAM = Path.of("benchmarks/target/go/golock").toAbsolutePath();

	private final String name;

	private final String sessions;

	private String version = "";

	private GoContender(String name, String sessions) {
		this.name = name;
		this.sessions = sessions;
	}

	static Contender withSharedSession() {
		return new GoContender(SHARED, "shared");
	}

	static Contender withDefaults() {
		return new GoContender("Go api.Lock, default", "own");
	}

	@Override
	public String name() {
		return this.name;
	}

	@Override
	public String version() {
		return this.version;
	}

	@Override
	public Set<StoreKind> stores() {
		return StoreKind.CONSUL;
	}

	@Override
	public void prepare() throws MissingException {
		String go = ServerProcess.program("go", "golang-go").toString();
		try {
			Files.createDirectories(PROGRAM.getParent());
			Path log = PROGRAM.resolveSibling("build.log");
			ProcessBuilder builder = new ProcessBuilder(go, "build", "-o", PROGRAM.toString(), ".")
				.directory(SOURCE.toFile())
				.redirectErrorStream(true)
				.redirectOutput(log.toFile());
			// No other Go is fetched, and no C compiler is needed.
			builder.environment()
				.putAll(Map.of("GOTOOLCHAIN", "local", "GOWORK", "off", "GOFLAGS", "-mod=readonly -buildvcs=false",
						"CGO_ENABLED", "0"));
			if (builder.start().waitFor() != 0) {
				throw new MissingException("it cannot be built: " + Files.readString(log));
			}
			this.version = "consul/api "
					+ Files.readString(SOURCE.resolve("go.mod")).replaceAll("(?s).*consul/api v(\\S+).*", "$1") + ", "
					+ ServerProcess.output(go, "version").replaceAll(".*(go[0-9.]+).*", "$1");
		}
		catch (IOException ex) {
			throw new MissingException("it cannot be built: " + ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MissingException("interrupted");
		}
	}

	/** A session holds a lock once, whoever uses it. */
	@Override
	public boolean suits(SideBySide experiment) {
		boolean within = experiment instanceof Pairs pairs && pairs.shape().withinClient();
		return !(experiment instanceof Waited) && !(within && this.name.equals(SHARED));
	}

	@Override
	public Client join(URI address) {
		throw new UnsupportedOperationException(this.name + " is in a process of its own");
	}

	@Override
	public Load start(Shape shape, Store store, String key) throws IOException {
		GoProcess go = GoProcess.start(this.sessions, store);
		go.tell("pairs %d %d %s %s".formatted(shape.clients(), shape.threads(), shape.oneKey(), key));
		return new Load() {

			@Override
			public void pause() throws IOException {
				go.tell("pause");
			}

			@Override
			public void measure() throws IOException {
				go.tell("measure");
			}

			@Override
			public Sample finish() throws IOException {
				return sample(go.tell("stop"), shape);
			}

			@Override
			public void close() throws IOException, InterruptedException {
				go.close();
			}

		};
	}

	private static Sample sample(JsonNode measured, Shape shape) {
		double pairs = measured.required("pairs").asDouble();
		Sample sample = new Sample().put(Sample.COUNT, pairs)
			.put(Sample.PAIRS, measured.required("rate").asDouble())
			.put("pair p50 µs", measured.required("p50").asDouble() / 1e3)
			.put("pair p99 µs", measured.required("p99").asDouble() / 1e3);
		if (shape.oneKey()) {
			sample.put(Sample.HAND_OVER, measured.required("handOverP50").asDouble() / 1e3)
				.put("hand-over p99 µs", measured.required("handOverP99").asDouble() / 1e3);
		}
		if (shape.clients() > 1) {
			sample.put(Sample.SHARES, measured.required("most").asDouble() / measured.required("least").asDouble());
		}
		return sample.put(Sample.CPU, measured.required("cpu").asDouble() / 1e3 / pairs);
	}

	@Override
	public Holding hold(int locks, Store store, String key) throws IOException {
		GoProcess go = GoProcess.start(this.sessions, store);
		JsonNode held = go.tell("hold %d %s".formatted(locks, key));
		Sample sample = new Sample().put(Held.LOCKS, held.required("held").asDouble())
			.put("goroutines", held.required("goroutines").asDouble())
			.put(Held.HEAP, held.required("heap").asDouble() / locks);
		return new Holding() {

			@Override
			public Sample sample() {
				return sample;
			}

			@Override
			public void close() throws IOException, InterruptedException {
				go.close();
			}

		};
	}

	@Override
	public LossProbe losses(Store store) throws IOException {
		GoProcess go = GoProcess.start(this.sessions, store);
		return new LossProbe() {

			@Override
			public Map<String, Long> lose(String key) throws IOException {
				return Map.of(Loss.TOLD, go.tell("lose " + key).asLong());
			}

			@Override
			public void close() throws IOException, InterruptedException {
				go.close();
			}

		};
	}

	/** A process that is told what to do, line by line. */
	private record GoProcess(Process process, PrintWriter input, BufferedReader output) {

		static GoProcess start(String sessions, Store store) throws IOException {
			ProcessBuilder builder = new ProcessBuilder(List.of(PROGRAM.toString(), sessions))
				.redirectError(PROGRAM.resolveSibling("golock.log").toFile());
			builder.environment().put("CONSUL_HTTP_ADDR", store.address().getAuthority());
			Process process = builder.start();
			return new GoProcess(process, new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true),
					process.inputReader(StandardCharsets.UTF_8));
		}

		JsonNode tell(String command) throws IOException {
			this.input.println(command);
			String answer = this.output.readLine();
			if (answer == null || answer.startsWith("error")) {
				throw new IOException("To '" + command + "' it said " + answer);
			}
			return JsonMapper.shared().readTree(answer);
		}

		void close() throws IOException, InterruptedException {
			this.input.close();
			if (!this.process.waitFor(10, TimeUnit.SECONDS)) {
				this.process.destroyForcibly();
			}
		}

	}

}
