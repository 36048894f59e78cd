package io.github.consullock.annotation;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@ConsulTest
@Timeout(120)
class AnnotatedMethodOnConsulTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(60);

	private static final int CLOSED = -1;

	private final PatientClient client;

	private final List<AnnotationConfigApplicationContext> instances = new ArrayList<>();

	private String prefix;

	AnnotatedMethodOnConsulTests(ConsulServer consul) {
		this.client = new PatientClient(consul.httpUri());
		this.prefix = "";
	}

	@BeforeEach
	void useKeysOfItsOwn(KeyPrefix keys) {
		this.prefix = keys.key("locks/");
	}

	@AfterEach
	void leaveNothingBehind() {
		assertThat(Thread.interrupted()).as("the interrupt flag left behind").isFalse();
		this.instances.forEach(AnnotationConfigApplicationContext::close);
		this.client.close();
	}

	@Test
	void theBodyRunsUnderAnEntryOfItsKeyAndLeavesNone() throws Exception {
		Work work = instance();
		String key = this.prefix + "work/a=2Fb";
		work.run("a/b", () -> {
			LockHandle handle = LockHandle.current();
			assertThat(handle.key()).isEqualTo(key);
			assertThat(entry(key).session()).isNotNull();
			assertThat(entry(key).modifyIndex()).isEqualTo(handle.fencingToken());
			work.run("a/b", () -> assertThat(LockHandle.current()).isSameAs(handle));
			assertThat(handle.isHeld()).isTrue();
			return null;
		});
		assertThat(this.client.read(key, TIMEOUT)).isEmpty();
	}

	@Test
	void oneInstanceRunsAtATime() throws Exception {
		List<Work> works = List.of(instance(), instance());
		AtomicInteger running = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		List<Long> tokens = new CopyOnWriteArrayList<>();
		ExecutorService pool = Executors.newFixedThreadPool(8);
		try {
			List<Future<?>> calls = new ArrayList<>();
			for (int i = 0; i < 40; i++) {
				Work work = works.get(i % works.size());
				calls.add(pool.submit(() -> work.run("a", () -> {
					most.accumulateAndGet(running.incrementAndGet(), Math::max);
					tokens.add(LockHandle.current().fencingToken());
					running.decrementAndGet();
					return null;
				})));
			}
			for (Future<?> call : calls) {
				call.get();
			}
		}
		finally {
			pool.shutdownNow();
		}
		assertThat(most).hasValue(1);
		assertThat(tokens).hasSize(40).isSorted().doesNotHaveDuplicates();
	}

	@Test
	void aCallThatMayNotWaitIsRefusedOrSkippedWhileAnotherInstanceHolds() throws Exception {
		Work first = instance();
		Work second = instance();
		// A single attempt is too short for a session to be made on a busy machine.
		second.run("warm-up", () -> null);
		first.run("a", () -> {
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> second.tryOnce("a"));
			assertThat(second.skip("a")).isNull();
			return null;
		});
		assertThat(second.tryOnce("a")).isEqualTo("ran");
		assertThat(second.skip("a")).isEqualTo("ran");
	}

	@Test
	void aBlockingHttpCallIsAbortedWhenTheSessionIsDestroyed() throws Exception {
		Work work = instance();
		try (ServerSocket server = new ServerSocket(0)) {
			FutureTask<Integer> receiver = new FutureTask<>(() -> {
				try (Socket connection = server.accept()) {
					BufferedReader request = new BufferedReader(
							new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
					while (!request.readLine().isEmpty()) {
						// To its end: the body waits for the answer then.
					}
					this.client.destroySession(Objects.requireNonNull(entry(this.prefix + "work/a").session()));
					return request.read();
				}
				catch (SocketException ex) {
					return CLOSED;
				}
			});
			new Thread(receiver).start();
			HttpRequest call = HttpRequest.newBuilder(URI.create("http://localhost:" + server.getLocalPort())).build();
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> work.run("a",
						() -> HttpClient.newHttpClient().send(call, HttpResponse.BodyHandlers.ofString())))
				.withCauseInstanceOf(InterruptedException.class)
				.satisfies((ex) -> {
					assertThat(ex.key()).isEqualTo(this.prefix + "work/a");
					assertThat(ex.reason()).isEqualTo(LockLostReason.SESSION_INVALIDATED);
				});
			assertThat(receiver.get()).isEqualTo(CLOSED);
		}
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void aBodyIsCancelledWhenItsKeyIsDeleted() throws Exception {
		Work work = instance();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> work.run("a", () -> {
			this.client.transact(List.of(KvOperation.delete(this.prefix + "work/a")), TIMEOUT);
			new CountDownLatch(1).await();
			return null;
		})).satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.KEY_DELETED));
	}

	@Test
	void aBodyIsCancelledWhenItsRegistryCloses() throws Exception {
		Work work = instance();
		ConsulLockRegistry registry = this.instances.get(0).getBean(ConsulLockRegistry.class);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> work.run("a", () -> {
			new Thread(registry::close).start();
			new CountDownLatch(1).await();
			return null;
		})).satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockLostReason.SHUTDOWN));
	}

	@Test
	void aBodyThatReleasesItsLockItselfKeepsItsResult() throws Exception {
		Work work = instance();
		assertThat(work.run("a", () -> LockHandle.current().release())).isEqualTo(true);
	}

	private Work instance() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Work.class);
		context.registerBean(ConsulLockRegistry.class,
				() -> ConsulLockRegistry.builder(this.client)
					.keyPrefix(this.prefix)
					.waitTime(Duration.ofSeconds(60))
					.shutdownTimeout(Duration.ofMillis(200))
					.build());
		context.refresh();
		this.instances.add(context);
		return context.getBean(Work.class);
	}

	private KvEntry entry(String key) {
		return this.client.read(key, TIMEOUT).orElseThrow();
	}

	static class Work {

		@DistributedLock("work/#{#key}")
		public @Nullable Object run(String key, Body body) throws Exception {
			return body.run();
		}

		@DistributedLock(key = "work/#{#key}", waitTime = "0s")
		public String tryOnce(String key) {
			return "ran";
		}

		@DistributedLock(key = "work/#{#key}", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
		public @Nullable String skip(String key) {
			return "ran";
		}

	}

	interface Body {

		@Nullable Object run() throws Exception;

	}

}
