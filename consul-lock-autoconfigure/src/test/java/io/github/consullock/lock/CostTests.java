package io.github.consullock.lock;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What locking costs: requests, as counted here, and Raft writes, as Consul counts them,
 * which is why it is one that nobody else uses.
 */
class CostTests {

	private static final int ROUNDS = 50;

	private static final int MAX_WATCHES = 10;

	private static final Pattern APPLIED = Pattern.compile("\"applied_index\": *\"(\\d+)\"");

	private static ConsulServer consul;

	private final AtomicInteger requests = new AtomicInteger();

	private Instances instances;

	@BeforeAll
	static void startConsul() {
		consul = ConsulServer.start();
	}

	@AfterAll
	static void stopConsul() {
		consul.close();
	}

	@BeforeEach
	void start() {
		this.instances = new Instances(consul.httpUri(), "costs/");
	}

	@AfterEach
	void stop() {
		this.instances.close();
	}

	@Test
	void aLockAndItsReleaseAreTwoRequestsAndTwoWrites() {
		ConsulLock lock = registry().obtain("a");
		// A renewal may fall into one of them, but hardly into each.
		await().untilAsserted(() -> {
			Costs costs = costs(() -> lock.acquire().close());
			assertThat(costs.requests()).isEqualTo(2);
			assertThat(costs.writes()).isEqualTo(2);
		});
	}

	@Test
	void threadsOfOneInstanceHandTheLockOnByOneRequest() {
		ConsulLockRegistry registry = registry();
		await().untilAsserted(() -> {
			int threads = 8;
			Costs costs = costs(() -> contend(Stream.generate(() -> registry).limit(threads)));
			assertThat((double) costs.requests() / (threads * ROUNDS)).isLessThanOrEqualTo(1.1);
			assertThat((double) costs.writes() / (threads * ROUNDS)).isLessThanOrEqualTo(1.1);
		});
	}

	@ParameterizedTest
	@ValueSource(ints = { 2, 4 })
	void instancesHandTheLockOnByTwoWrites(int count) {
		List<ConsulLockRegistry> registries = Stream.generate(this::registry).limit(count).toList();
		// On a busy machine, one may be too late for another.
		await().untilAsserted(() -> {
			Costs costs = costs(() -> contend(registries.stream()));
			assertThat((double) costs.writes() / (count * ROUNDS)).isLessThanOrEqualTo(2.3);
			assertThat((double) costs.requests() / (count * ROUNDS)).isLessThanOrEqualTo(5.5);
		});
	}

	@Test
	void locksThatAreHeldNeedFewRequests() throws InterruptedException {
		ConsulLockRegistry registry = registry();
		List<LockHandle> held = Stream.iterate(0, (number) -> number + 1)
			.limit(500)
			.map((number) -> registry.obtain("held-" + number).acquire())
			.toList();
		long start = System.nanoTime();
		int before = this.requests.get();
		Thread.sleep(3000);
		int requests = this.requests.get() - before;
		double seconds = (System.nanoTime() - start) / 1e9;
		held.forEach(LockHandle::close);
		assertThat(requests).isLessThanOrEqualTo((int) (20 * seconds) + MAX_WATCHES);
	}

	private void contend(Stream<ConsulLockRegistry> contenders) {
		List<CompletableFuture<Void>> all = contenders.map((registry) -> CompletableFuture.runAsync(() -> {
			ConsulLock lock = registry.obtain("b");
			for (int i = 0; i < ROUNDS; i++) {
				lock.acquire(Duration.ofMinutes(1)).close();
			}
		}, (task) -> new Thread(task).start())).toList();
		all.forEach(CompletableFuture::join);
	}

	private Costs costs(Runnable load) {
		int requestsBefore = this.requests.get();
		long before = applied();
		load.run();
		return new Costs(this.requests.get() - requestsBefore, applied() - before);
	}

	private long applied() {
		Matcher matcher = APPLIED.matcher(this.instances.request("GET", "/v1/agent/self", ""));
		assertThat(matcher.find()).isTrue();
		return Long.parseLong(matcher.group(1));
	}

	private ConsulLockRegistry registry() {
		ConsulClient client = this.instances.newClient();
		ConsulClient counting = (ConsulClient) Proxy.newProxyInstance(getClass().getClassLoader(),
				new Class<?>[] { ConsulClient.class }, (proxy, method, arguments) -> {
					if (method.getName().equals("at")) {
						return proxy;
					}
					if (!method.getName().equals("close")) {
						this.requests.incrementAndGet();
					}
					try {
						return method.invoke(client, arguments);
					}
					catch (InvocationTargetException ex) {
						throw ex.getCause();
					}
				});
		return Instances.warmUp(this.instances.start(counting, (builder) -> builder.maxWatches(MAX_WATCHES)));
	}

	private record Costs(int requests, long writes) {
	}

}
