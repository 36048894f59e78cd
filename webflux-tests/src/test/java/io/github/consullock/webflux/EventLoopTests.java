package io.github.consullock.webflux;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockLostReason;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import reactor.core.publisher.SignalType;
import reactor.core.scheduler.NonBlocking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Locked methods of a WebFlux application block neither its event loop nor another thread
 * that must not be blocked, whatever becomes of the lock.
 */
@ConsulTest
@Timeout(180)
class EventLoopTests {

	/** What is locked, as the first part of a path. */
	private static final List<String> KINDS = List.of("mono", "flux", "future", "suspend", "controller",
			"suspending-controller");

	private static Application application;

	private final String key = UUID.randomUUID().toString();

	@BeforeAll
	static void start(ConsulServer consul) {
		Awaitility.setDefaultTimeout(Duration.ofMinutes(1));
		BlockingCalls.note();
		application = Application.start(consul, "consul.lock.waiting.timeout=2m");
	}

	@AfterAll
	static void stop() {
		if (application != null) {
			application.close();
		}
	}

	@BeforeEach
	void forgetWhatTheStartDid() {
		BlockingCalls.take();
	}

	@AfterEach
	void nothingHasBlocked() {
		await().ignoreExceptionsInstanceOf(ConsulUnavailableException.class)
			.until(() -> !application.registry().obtain(this.key).isLocked());
		assertThat(BlockingCalls.take()).isEmpty();
	}

	@ParameterizedTest
	@CsvSource({ "/sleeping, java.lang.Thread.sleep", "/asking, sun.nio.ch.SocketChannelImpl.blockingRead" })
	void whatBlocksTheEventLoopIsNoted(String path, String call) {
		// Twice, so that there is a connection already.
		get(application.get(path));
		BlockingCalls.take();
		get(application.get(path));
		assertThat(BlockingCalls.take()).anySatisfy(
				(blocking) -> assertThat(blocking).contains(call + "(", LockedController.class.getName() + "."));
	}

	@ParameterizedTest
	@FieldSource("KINDS")
	void manyRequestsWait(String kind) {
		Work first = application.work(this.key, "first");
		CompletableFuture<HttpResponse<String>> response = send(kind, "first");
		assertThat(get(first.started).isHeld()).isTrue();
		List<String> names = IntStream.range(0, 50).mapToObj(Integer::toString).toList();
		List<Work> works = names.stream().map((name) -> application.work(this.key, name)).toList();
		List<CompletableFuture<HttpResponse<String>>> responses = names.stream()
			.map((name) -> send(kind, name))
			.toList();
		await()
			.until(() -> names.stream().allMatch((name) -> application.requests().begun().contains(path(kind, name))));
		get(application.get("/free"));
		assertThat(application.requests().threads()).singleElement().isInstanceOf(NonBlocking.class);
		assertThat(works).noneMatch((work) -> work.started.isDone());
		works.forEach((work) -> work.end.complete("done"));
		first.end.complete("first");
		assertThat(get(response).body()).isEqualTo("first");
		assertThat(responses).allSatisfy((each) -> assertThat(get(each).body()).isEqualTo("done"));
		works.forEach((work) -> get(work.outcome));
		assertThat(works).allMatch((work) -> work.endedWithoutBlocking);
	}

	@ParameterizedTest
	@FieldSource("KINDS")
	void clientsLeave(String kind) {
		Work first = application.work(this.key, "first");
		CompletableFuture<HttpResponse<String>> working = send(kind, "first");
		get(first.started);
		CompletableFuture<HttpResponse<String>> waiting = send(kind, "second");
		await().until(() -> application.requests().begun().contains(path(kind, "second")));
		waiting.cancel(true);
		awaitCancel(kind, "second");
		assertThat(first.outcome).isNotDone();
		working.cancel(true);
		awaitCancel(kind, "first");
		assertThat(get(first.outcome)).isEqualTo(SignalType.CANCEL);
		assertThat(application.work(this.key, "second").started).isNotDone();
	}

	@ParameterizedTest
	@FieldSource("KINDS")
	void theLockIsLost(String kind, ConsulServer consul) {
		Work work = application.work(this.key, "work");
		CompletableFuture<HttpResponse<String>> response = send(kind, "work");
		get(work.started);
		try (ConsulClient client = HttpConsulClient.builder(consul.httpUri()).build()) {
			client.destroySession(application.registry().obtain(this.key).holder().orElseThrow().session());
		}
		assertThat(get(response).body()).isEqualTo(LockLostReason.SESSION_INVALIDATED.name());
		assertThat(get(work.outcome)).isEqualTo(SignalType.CANCEL);
	}

	@Test
	void consulIsGone() {
		try (ConsulServer consul = ConsulServer.start();
				Application alone = Application.start(consul, "consul.lock.waiting.timeout=10s",
						"consul.lock.session.ttl=10s", "consul.lock.session.lock-delay=10s")) {
			Map<String, CompletableFuture<HttpResponse<String>>> ending = sendAll(alone, "ending");
			Map<String, CompletableFuture<HttpResponse<String>>> working = sendAll(alone, "working");
			for (String kind : KINDS) {
				get(alone.work(kind + "-ending", "work").started);
				get(alone.work(kind + "-working", "work").started);
			}
			BlockingCalls.take();
			consul.pause();
			KINDS.forEach((kind) -> alone.work(kind + "-ending", "work").end.complete("done"));
			// Unless this machine pauses for longer than the TTL.
			ending.forEach((kind, response) -> assertThat(get(response).body()).as(kind)
				.isIn("done", LockLostReason.DEADLINE_PASSED.name()));
			sendAll(alone, "waiting")
				.forEach((kind, response) -> assertThat(get(response).body()).as(kind).isEqualTo("no answer"));
			working.forEach((kind, response) -> assertThat(get(response).body()).as(kind)
				.isEqualTo(LockLostReason.DEADLINE_PASSED.name()));
			consul.resume();
		}
	}

	private static Map<String, CompletableFuture<HttpResponse<String>>> sendAll(Application application, String key) {
		return KINDS.stream()
			.collect(Collectors.toMap(Function.identity(),
					(kind) -> application.get("/" + kind + "/" + kind + "-" + key + "/work")));
	}

	private void awaitCancel(String kind, String work) {
		await().until(() -> application.requests().ended().get(path(kind, work)) == SignalType.CANCEL);
	}

	private CompletableFuture<HttpResponse<String>> send(String kind, String work) {
		return application.get(path(kind, work));
	}

	private String path(String kind, String work) {
		return "/" + kind + "/" + this.key + "/" + work;
	}

	private static <T> T get(CompletableFuture<T> future) {
		return assertThat(future).succeedsWithin(1, TimeUnit.MINUTES).actual();
	}

}
