package io.github.consullock.lock;

import java.util.Random;
import java.util.function.Supplier;

import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;

/**
 * Random sequences of all operations on all kinds of locks, by several instances, against
 * a model that knows who holds what. A failure names its seed; to replay it, set the
 * system property {@code consul.lock.model.seed}.
 */
@ConsulTest
class RandomisedModelTests {

	@Test
	void onAnInMemoryConsul() {
		try (InMemoryConsulClient consul = new InMemoryConsulClient()) {
			run(10_000, "locks/", consul::newClient);
		}
	}

	@Test
	void onConsul(ConsulServer consul, KeyPrefix prefix) {
		run(400, prefix.value(), () -> new PatientClient(consul.httpUri()));
	}

	private static void run(int steps, String prefix, Supplier<ConsulClient> clients) {
		long seed = Long.getLong("consul.lock.model.seed", new Random().nextLong());
		System.out.println("Random operations: -Dconsul.lock.model.seed=" + seed);
		RandomWalk walk = new RandomWalk(new Random(seed), prefix, clients);
		try {
			for (int i = 0; i < steps; i++) {
				walk.step();
			}
			walk.end();
		}
		catch (Throwable ex) {
			throw new AssertionError("With the seed " + seed + ", after\n" + walk.log(), ex);
		}
		finally {
			walk.stop();
		}
	}

}
