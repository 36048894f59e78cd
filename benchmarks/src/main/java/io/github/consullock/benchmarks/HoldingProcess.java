package io.github.consullock.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import tools.jackson.databind.json.JsonMapper;

/**
 * Locks that one thread holds in a JVM of its own, so that its heap and threads are
 * theirs.
 */
final class HoldingProcess implements Holding {

	private final Process process;

	private final Sample sample = new Sample();

	private HoldingProcess(Process process) {
		this.process = process;
	}

	/** Starts the process, and waits until it holds the locks. */
	static Holding start(Contender contender, int locks, Store store, String key) throws IOException {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		Process process = new ProcessBuilder(java, "-Xmx1g", "-cp", System.getProperty("java.class.path"),
				HoldingProcess.class.getName(), contender.name(), store.address().toString(), Integer.toString(locks),
				key)
			.redirectErrorStream(true)
			.start();
		HoldingProcess holding = new HoldingProcess(process);
		BufferedReader output = process.inputReader();
		List<String> said = new ArrayList<>();
		for (String line = output.readLine(); line != null; line = output.readLine()) {
			if (line.startsWith("{\"" + Held.LOCKS)) {
				JsonMapper.shared()
					.readTree(line)
					.forEachEntry((name, value) -> holding.sample.put(name, value.asDouble()));
				return holding;
			}
			said.add(line);
		}
		throw new IOException(contender.name() + " did not hold its locks: " + said.stream().limit(3).toList());
	}

	@Override
	public Sample sample() {
		return this.sample;
	}

	@Override
	public void close() throws IOException, InterruptedException {
		this.process.getOutputStream().close();
		if (!this.process.waitFor(1, TimeUnit.MINUTES)) {
			this.process.destroyForcibly();
		}
	}

	/**
	 * Holds locks until standard input ends.
	 * @param args the contender, the address of the store, how many locks, and their key
	 */
	@SuppressWarnings("SystemOut") // For the process that waits for it.
	public static void main(String[] args) throws Exception {
		Contender contender = Benchmarks.CONTENDERS.stream()
			.filter((candidate) -> candidate.name().equals(args[0]))
			.findFirst()
			.orElseThrow();
		int locks = Integer.parseInt(args[2]);
		try (Client client = contender.join(URI.create(args[1]))) {
			List<Mutex> held = new ArrayList<>(locks + 1);
			// Whatever a client makes once is there before it is looked at.
			held.add(locked(client, args[3] + "/first"));
			long heap = heap();
			int threads = threads();
			for (int i = 0; i < locks; i++) {
				held.add(locked(client, args[3] + "/" + i));
			}
			// Until all that begins some time after an acquisition has begun.
			TimeUnit.SECONDS.sleep(1);
			Map<String, Number> sample = new LinkedHashMap<>();
			sample.put(Held.LOCKS, locks);
			sample.put(Held.THREADS, threads() - threads);
			sample.put(Held.HEAP, (heap() - heap) / locks);
			System.out.println(JsonMapper.shared().writeValueAsString(sample));
			System.in.readAllBytes();
			for (Mutex mutex : held) {
				mutex.unlock();
			}
		}
		System.exit(0);
	}

	private static Mutex locked(Client client, String key) throws Exception {
		Mutex mutex = client.mutex(key);
		mutex.lock();
		return mutex;
	}

	private static int threads() {
		return ManagementFactory.getThreadMXBean().getThreadCount();
	}

	/** Of this JVM, in use. */
	static long heap() {
		for (int i = 0; i < 3; i++) {
			System.gc();
		}
		return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
	}

}
