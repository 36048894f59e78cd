package io.github.consullock.consul;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockException;
import io.github.consullock.NastyJson;
import io.github.consullock.SessionBehavior;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Answers that are nearly what Consul gives: they are understood, or end in the
 * exceptions of this library, whatever is wrong with them.
 */
@Timeout(240)
class NastyAnswerTests {

	private static final Duration SECONDS = Duration.ofSeconds(60);

	private static final String ENTRY = "{\"LockIndex\":1,\"Key\":\"k\",\"Flags\":3304740253564472344,\"Value\":\"dg==\","
			+ "\"Session\":\"4bd98ba5-bc25-3f0a-8d69-6f9f1ce2f3e4\",\"CreateIndex\":5,\"ModifyIndex\":7}";

	private static final List<String> ANSWERS = List.of("[" + ENTRY + "]",
			"{\"Results\":[{\"KV\":" + ENTRY + "}]," + "\"Errors\":null}",
			"{\"Results\":null,\"Errors\":[{\"OpIndex\":0,\"What\":\"failed to lock key \\\"k\\\", lock is already held\"}]}",
			"[{\"ID\":\"4bd98ba5-bc25-3f0a-8d69-6f9f1ce2f3e4\",\"Name\":\"n\",\"Node\":\"a\",\"LockDelay\":15000000000,"
					+ "\"Behavior\":\"release\",\"TTL\":\"10s\",\"NodeChecks\":[],\"CreateIndex\":5,\"ModifyIndex\":7}]",
			"{\"ID\":\"4bd98ba5-bc25-3f0a-8d69-6f9f1ce2f3e4\"}", "true", "null");

	private static final List<String> STATUSES = List.of("200 OK", "200 OK", "200 OK", "409 Conflict", "404 Not Found",
			"500 Internal Server Error", "403 Forbidden", "429 Too Many Requests");

	private final NastyJson json = new NastyJson(20261202);

	@Test
	void everyCallReturnsOrFailsAsItSays() throws IOException {
		AtomicReference<String> next = new AtomicReference<>("");
		int understood = 0;
		int calls = 0;
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> exchange.write(next.get()));
				HttpConsulClient client = HttpConsulClient.builder(server.uri()).readTimeout(SECONDS).build()) {
			for (int round = 0; round < 1500; round++) {
				String body = this.json.insteadOf(any(ANSWERS));
				next.set(FakeHttpServer.answer(any(STATUSES), body));
				for (Runnable call : callsOf(client)) {
					calls++;
					understood += returns(call, body) ? 1 : 0;
				}
			}
			assertThat(client.leasedConnections()).isZero();
		}
		// Both happen, or nothing is tested.
		assertThat(understood).isBetween(calls / 100, calls / 2);
	}

	private boolean returns(Runnable call, String body) {
		try {
			call.run();
			return true;
		}
		catch (LockException ex) {
			assertThat(ex.getMessage()).hasSizeLessThan(2000);
			assertThat(ex.getMessage().lines()).hasSize(1);
			return false;
		}
		catch (RuntimeException | Error ex) {
			throw new AssertionError(body.substring(0, Math.min(500, body.length())) + ", " + this.json.replay(), ex);
		}
	}

	private static List<Runnable> callsOf(ConsulClient client) {
		String session = "4bd98ba5-bc25-3f0a-8d69-6f9f1ce2f3e4";
		List<KvOperation> lock = List.of(KvOperation.lock("k", session, "v", 1));
		return List.of(() -> client.read("k", SECONDS), () -> client.list("k", SECONDS),
				() -> client.transact(lock, SECONDS), () -> client.watch("k", 1, Duration.ofSeconds(1)),
				() -> client.renewSession(session), () -> client.sessionInfo(session, SECONDS),
				() -> client.watchSession(session, 1, Duration.ofSeconds(1)), () -> client.destroySession(session),
				() -> client.createSession(new SessionRequest("n", Duration.ofSeconds(10), Duration.ZERO,
						SessionBehavior.RELEASE, List.of(), List.of())));
	}

	private <T> T any(List<T> of) {
		return of.get(this.json.random().nextInt(of.size()));
	}

}
