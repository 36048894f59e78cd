package io.github.consullock.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import io.github.consullock.benchmarks.Store.Work;

/**
 * From the start of the JVM until an empty application is ready: Spring Boot alone, with
 * what this library requires of Spring Cloud, and with this library.
 */
final class StartUp implements Experiment {

	static final Row PLAIN = Row.of("Boot alone");

	static final Row CLOUD = Row.of("Boot with Spring Cloud Consul");

	static final Row STARTER = Row.of("Boot with consul-lock-starter");

	static final String READY = "ready after ms";

	static final String REQUESTS = "requests to Consul";

	private static final String BOOT = "spring-boot-(starter-|starter-logging-|autoconfigure-)?4.*"
			+ "|spring-(core|context|beans|aop|expression)-.*|(slf4j|log4j|jul|logback|micrometer)-.*"
			+ "|commons-logging.*|snakeyaml.*|jakarta.annotation.*|jspecify.*";

	/** All that the starter brings but this library. */
	private static final String OF_CLOUD = "|spring-cloud-.*|spring-security-crypto.*|bcprov.*|spring-web-.*"
			+ "|spring-boot-(starter-validation|validation|restclient|http-client|http-converter)-.*"
			+ "|tomcat-embed-el.*|hibernate-validator.*|jakarta.validation.*|jboss-logging.*|classmate.*"
			+ "|jackson-(databind|core)-3.*|jackson-annotations.*";

	private static final String OURS = "|consul-lock-.*";

	@Override
	public String id() {
		return "start";
	}

	@Override
	public String title() {
		return "Start of an application";
	}

	@Override
	public String plotted() {
		return READY;
	}

	@Override
	public void run(Bench bench) throws Exception {
		Map<Row, String> classPaths = new LinkedHashMap<>();
		classPaths.put(PLAIN, classPath(BOOT));
		classPaths.put(CLOUD, classPath(BOOT + OF_CLOUD));
		classPaths.put(STARTER, classPath(BOOT + OF_CLOUD + OURS));
		Store store = bench.store(StoreKind.CONSUL_MEMORY);
		for (int round = 1; round <= bench.settings().size(15, 2); round++) {
			for (Map.Entry<Row, String> entry : classPaths.entrySet()) {
				Work before = Objects.requireNonNull(store.work());
				double millis = start(entry.getValue(), store);
				long requests = Objects.requireNonNull(store.work()).requests() - before.requests();
				bench.results()
					.add(this, entry.getKey(), round, new Sample().put(READY, millis).put(REQUESTS, requests));
			}
		}
	}

	private static String classPath(String jars) {
		Pattern wanted = Pattern.compile(jars);
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1)).filter((entry) -> {
			String name = Path.of(entry).getFileName().toString();
			return !name.endsWith(".jar") || wanted.matcher(name).matches();
		}).collect(Collectors.joining(File.pathSeparator));
	}

	private static double start(String classPath, Store store) throws IOException, InterruptedException {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		long start = System.nanoTime();
		Process process = new ProcessBuilder(List.of(java, "-cp", classPath, StartUpApplication.class.getName(),
				"--spring.cloud.consul.host=" + store.address().getHost(),
				"--spring.cloud.consul.port=" + store.address().getPort(), "--spring.main.banner-mode=off"))
			.redirectErrorStream(true)
			.start();
		StringBuilder output = new StringBuilder();
		try (BufferedReader reader = process.inputReader()) {
			for (String line = reader.readLine(); line != null; line = reader.readLine()) {
				if (line.equals(StartUpApplication.READY)) {
					double millis = (System.nanoTime() - start) / 1e6;
					process.waitFor();
					return millis;
				}
				output.append(line).append('\n');
			}
		}
		throw new IOException("The application did not start:\n" + output);
	}

}
