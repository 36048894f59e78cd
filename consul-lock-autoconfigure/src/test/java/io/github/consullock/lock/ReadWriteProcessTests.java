package io.github.consullock.lock;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A read-write lock between two processes.
 */
@ConsulTest
class ReadWriteProcessTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	@Test
	void processesExcludeEachOtherAndShareReading(ConsulServer consul, KeyPrefix prefix) throws Exception {
		try (Instances instances = new Instances(consul.httpUri(), prefix.value())) {
			ConsulReadWriteLock lock = Instances.warmUp(instances.start()).readWriteLock("a");
			long token;
			try (Holder writer = new Holder(consul, prefix, true)) {
				token = writer.token();
				assertThat(lock.readLock().tryAcquire(Duration.ZERO)).isEmpty();
				CompletableFuture<LockHandle> reader = lock.readLock().acquireAsync(LONG);
				await().until(() -> instances.entry("a").value().contains("READ"));
				assertThat(reader).isNotDone();
				writer.release();
				assertThat(reader.join().fencingToken()).isGreaterThan(token);
				token = reader.join().fencingToken();
				try (Holder other = new Holder(consul, prefix, false)) {
					assertThat(other.token()).isGreaterThan(token);
					reader.join().close();
					CompletableFuture<LockHandle> next = lock.writeLock().acquireAsync(LONG);
					await().until(() -> instances.entry("a").value().contains("WRITE"));
					assertThat(next).isNotDone();
					other.kill();
					instances.observer.list(instances.prefix() + ".consul-lock/rw/")
						.stream()
						.filter((member) -> instances.entry("a")
							.value()
							.contains(member.key().substring(member.key().lastIndexOf('/') + 1) + "\",\"mode\":\"READ"))
						.forEach((member) -> instances.observer.destroySession(member.session()));
					assertThat(next.join().release()).isTrue();
				}
			}
		}
	}

	/**
	 * Another process that holds one side until it is told to release.
	 */
	private static final class Holder implements AutoCloseable {

		private final Process process;

		private final BufferedReader output;

		Holder(ConsulServer consul, KeyPrefix prefix, boolean writes) throws IOException {
			this.process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "-cp",
					System.getProperty("java.class.path"), Holding.class.getName(), consul.httpUri().toString(),
					prefix.value(), String.valueOf(writes))
				.redirectError(ProcessBuilder.Redirect.INHERIT)
				.start();
			this.output = this.process.inputReader();
		}

		long token() throws IOException {
			String line;
			while ((line = this.output.readLine()) != null) {
				if (line.startsWith("token ")) {
					return Long.parseLong(line.substring("token ".length()));
				}
			}
			throw new IllegalStateException("The other process has ended");
		}

		void release() throws Exception {
			this.process.getOutputStream().close();
			assertThat(this.process.waitFor()).isZero();
		}

		void kill() throws InterruptedException {
			this.process.destroyForcibly().waitFor();
		}

		@Override
		public void close() {
			this.process.destroyForcibly();
		}

	}

	/**
	 * What the other process does.
	 */
	static final class Holding {

		private Holding() {
		}

		public static void main(String[] args) throws IOException {
			try (PatientClient client = new PatientClient(URI.create(args[0]));
					ConsulLockRegistry registry = ConsulLockRegistry.builder(client)
						.keyPrefix(args[1])
						.session(Instances.WITHOUT_LOCK_DELAY)
						.build()) {
				ConsulReadWriteLock lock = registry.readWriteLock("a");
				ConsulLock side = Boolean.parseBoolean(args[2]) ? lock.writeLock() : lock.readLock();
				try (LockHandle handle = side.acquire(LONG)) {
					System.out.println("token " + handle.fencingToken());
					while (System.in.read() != -1) {
						continue;
					}
				}
			}
		}

	}

}
