package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.github.consullock.testserver.ConsulServer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Consul, which counts its requests and Raft writes exactly.
 */
final class ConsulStore implements Store {

	/** Without it there are no counters that go on for ever. */
	private static final String TELEMETRY = """
			{ "telemetry": { "prometheus_retention_time": "24h", "disable_hostname": true } }""";

	/** Until 1.8 the route is in the name, later in a label. */
	private static final Pattern COUNTER = Pattern.compile("(?m)^consul_(?:api_)?http_?(\\S*)_count(\\S*) (\\S+)$");

	private final StoreKind kind;

	private final URI address;

	private final AutoCloseable server;

	private final HttpClient http = HttpClient.newHttpClient();

	private ConsulStore(StoreKind kind, URI address, AutoCloseable server) {
		this.kind = kind;
		this.address = address;
		this.server = server;
	}

	static Store onDisk() {
		ConsulServer server = ConsulServer.builder().configuration(TELEMETRY).start();
		return new ConsulStore(StoreKind.CONSUL_DISK, server.httpUri(), server);
	}

	/**
	 * The same Consul that {@link ConsulServer} finds, in its development mode, which
	 * cannot be configured.
	 */
	static Store inMemory() throws IOException, InterruptedException, MissingException {
		int http = ServerProcess.freePort();
		String ports = """
				{ "ports": { "http": %d, "server": %d, "serf_lan": %d, "serf_wan": %d, "dns": -1, "grpc": -1 },
				  "log_level": "err", "disable_update_check": true }""".formatted(http, ServerProcess.freePort(),
				ServerProcess.freePort(), ServerProcess.freePort());
		Path folder = ServerProcess.folder();
		Files.writeString(folder.resolve("ports.json"), ports);
		Files.writeString(folder.resolve("telemetry.json"), TELEMETRY);
		ServerProcess server = ServerProcess.start(folder, http, List.of(binary(), "agent", "-dev", "-bind",
				"127.0.0.1", "-config-file", "ports.json", "-config-file", "telemetry.json"));
		ConsulStore store = new ConsulStore(StoreKind.CONSUL_MEMORY, URI.create("http://127.0.0.1:" + http), server);
		String session = store.put("/v1/session/create");
		while (!session.startsWith("{")) {
			TimeUnit.MILLISECONDS.sleep(50);
			session = store.put("/v1/session/create");
		}
		store.put("/v1/session/destroy/" + JsonMapper.shared().readTree(session).required("ID").asString());
		return store;
	}

	private static String binary() throws MissingException {
		try (ConsulServer server = ConsulServer.start()) {
			return server.processIds()
				.stream()
				.flatMap((id) -> ProcessHandle.of(id).stream())
				.flatMap((process) -> process.info().command().stream())
				.findFirst()
				.orElseThrow(() -> new MissingException("Consul's development mode takes a consul on this machine"));
		}
	}

	@Override
	public StoreKind kind() {
		return this.kind;
	}

	@Override
	public URI address() {
		return this.address;
	}

	@Override
	public String version() {
		try {
			return "Consul " + self().required("Config").required("Version").asString();
		}
		catch (IOException | InterruptedException ex) {
			return "Consul";
		}
	}

	@Override
	public Work work() throws IOException, InterruptedException {
		long requests = 0;
		Matcher matcher = COUNTER.matcher(get("/v1/agent/metrics?format=prometheus"));
		while (matcher.find()) {
			String route = matcher.group(1) + matcher.group(2);
			if (!route.contains("agent_metrics") && !route.contains("agent_self")) {
				requests += (long) Double.parseDouble(matcher.group(3));
			}
		}
		long writes = Long.parseLong(self().required("Stats").required("raft").required("applied_index").asString());
		return new Work(requests, writes);
	}

	private JsonNode self() throws IOException, InterruptedException {
		return JsonMapper.shared().readTree(get("/v1/agent/self"));
	}

	/** What a path of the API says. */
	String get(String path) throws IOException, InterruptedException {
		return send(HttpRequest.newBuilder(this.address.resolve(path)).build());
	}

	private String put(String path) throws IOException, InterruptedException {
		return send(
				HttpRequest.newBuilder(this.address.resolve(path)).PUT(HttpRequest.BodyPublishers.noBody()).build());
	}

	private String send(HttpRequest request) throws IOException, InterruptedException {
		return this.http.send(request, HttpResponse.BodyHandlers.ofString()).body();
	}

	@Override
	public void close() {
		try {
			this.server.close();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
