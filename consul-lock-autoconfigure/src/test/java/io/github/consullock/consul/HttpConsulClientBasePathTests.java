package io.github.consullock.consul;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * The contract, through a reverse proxy that serves Consul below a path.
 */
@ConsulTest
class HttpConsulClientBasePathTests extends ConsulClientContractTests {

	private static final String PATH = "/tools/consul";

	private static HttpServer proxy;

	private static ExecutorService threads;

	@BeforeAll
	static void start(ConsulServer consul) throws IOException {
		HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
		threads = Executors.newCachedThreadPool();
		proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
		proxy.setExecutor(threads);
		proxy.createContext(PATH + "/", (exchange) -> forward(http, consul.httpUri(), exchange));
		proxy.start();
	}

	@AfterAll
	static void stop() {
		proxy.stop(0);
		threads.shutdownNow();
	}

	@Override
	ConsulClient createClient() {
		URI base = URI.create("http://127.0.0.1:" + proxy.getAddress().getPort() + PATH);
		return HttpConsulClient.builder(base).readTimeout(SECONDS).build();
	}

	private static void forward(HttpClient http, URI consul, HttpExchange exchange) throws IOException {
		String path = exchange.getRequestURI().toString().substring(PATH.length());
		byte[] body = exchange.getRequestBody().readAllBytes();
		HttpRequest request = HttpRequest.newBuilder(URI.create(consul + path))
			.method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body))
			.build();
		try (exchange) {
			HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
			response.headers()
				.firstValue("X-Consul-Index")
				.ifPresent((index) -> exchange.getResponseHeaders().set("X-Consul-Index", index));
			exchange.sendResponseHeaders(response.statusCode(),
					(response.body().length > 0) ? response.body().length : -1);
			exchange.getResponseBody().write(response.body());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
