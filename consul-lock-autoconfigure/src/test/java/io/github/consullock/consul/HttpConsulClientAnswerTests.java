package io.github.consullock.consul;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What is read of answers, also of those that no Consul gives.
 */
class HttpConsulClientAnswerTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private static final List<KvOperation> LOCK = List.of(KvOperation.checkNotExists("k"),
			KvOperation.lock("k", "s", "v", 1));

	@Test
	void fieldsComeInAnyOrderAmongUnknownOnes() throws IOException {
		String entry = "{\"ModifyIndex\": 9223372036854775808, \"CreateIndex\": 6, \"New\": [{\"Key\": [1, 2.5, null]}, true], \"Session\": \"\","
				+ " \"Flags\": 18446744073709551615, \"Value\": \"w6QvIg==\", \"Key\": \"a/\\u00e4\\\"\", \"LockIndex\": 3}";
		with("200 OK", "[" + entry
				+ ", {\"Key\": \"b\", \"Value\": null, \"Session\": \"s\", \"CreateIndex\": 5, \"ModifyIndex\": 7}]",
				(client) -> assertThat(client.list("", SECONDS)).containsExactly(
						new KvEntry("a/\u00e4\"", "\u00e4/\"", -1, null, 6, Long.MIN_VALUE),
						new KvEntry("b", "", 0, "s", 5, 7)));
		with("200 OK",
				"{\"Errors\": null, \"Results\": [{\"X\": 1, \"KV\": {\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7}}], \"I\": {}}",
				(client) -> assertThat(client.transact(LOCK, SECONDS))
					.isEqualTo(new Committed(List.of(new KvEntry("k", "", 0, null, 5, 7)))));
		with("200 OK",
				"[{\"Checks\": [], \"Behavior\": \"delete\", \"LockDelay\": 15000000000, \"TTL\": \"1m30s\","
						+ " \"Name\": null, \"ID\": \"s\"}]",
				(client) -> assertThat(client.sessionInfo("s", SECONDS)).hasValue(new SessionInfo("s", "",
						Duration.ofSeconds(90), Duration.ofSeconds(15), SessionBehavior.DELETE)));
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7}}]",
			"{\"Results\": [{\"KV\": {\"Ke",
			"{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7}}]} {}",
			"{\"Results\": {\"KV\": {}}}", "{\"Results\": null}", "{\"Results\": []}", "{\"Results\": 7}",
			"{\"Results\": [{}]}", "{\"Results\": [{\"KV\": null}]}", "{\"Results\": [[]]}",
			"{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 5}}]}",
			"{\"Results\": [{\"KV\": {\"Key\": \"k\", \"ModifyIndex\": 8}}]}",
			"{\"Results\": [{\"KV\": {\"CreateIndex\": 5, \"ModifyIndex\": 7}}]}" })
	void answerThatTellsNothingOfTheWritesLeavesThemOpen(String body) throws IOException {
		with("200 OK", body, HttpConsulClientAnswerTests::assertThatWritesAreOpen);
	}

	@ParameterizedTest
	@ValueSource(strings = { "\"ModifyIndex\": \"7\"", "\"ModifyIndex\": -7", "\"ModifyIndex\": 7.0",
			"\"ModifyIndex\": null", "\"ModifyIndex\": 18446744073709551616", "\"ModifyIndex\": -18446744073709551616",
			"\"Key\": null", "\"Key\": 1", "\"Key\": [\"k\"]", "\"Value\": \"!\"", "\"Value\": 1", "\"Value\": {}",
			"\"Flags\": \"1\"", "\"Flags\": true", "\"Session\": 1", "\"Session\": {}", "\"Key\": \"\\uZZZZ\"" })
	void fieldOfAnotherTypeIsNeverTakenForTheOneItReplaces(String field) throws IOException {
		String results = "{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7, " + field
				+ "}}]}";
		with("200 OK", results, HttpConsulClientAnswerTests::assertThatWritesAreOpen);
		with("200 OK", "[{\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7, " + field + "}]",
				(client) -> assertThatExceptionOfType(ConsulRefusedException.class)
					.isThrownBy(() -> client.read("k", SECONDS))
					.withMessageContaining("not what Consul answers"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "null", "[]", "{}", "[{\"What\": \"key \\\"k\\\" exists\"}]", "[{\"OpIndex\": 0}]",
			"[{\"OpIndex\": 0, \"What\": null}]", "[{\"OpIndex\": \"0\", \"What\": \"key \\\"k\\\" exists\"}]",
			"[{\"OpIndex\": -1, \"What\": \"key \\\"k\\\" exists\"}]",
			"[{\"OpIndex\": 2, \"What\": \"Permission denied\"}]",
			"[{\"OpIndex\": 99999999999, \"What\": \"key \\\"k\\\" exists\"}]" })
	void rollBackWithoutAReasonIsRefused(String errors) throws IOException {
		with("409 Conflict", "{\"Results\": null, \"Errors\": " + errors + "}",
				(client) -> assertThatExceptionOfType(ConsulRefusedException.class)
					.isThrownBy(() -> client.transact(LOCK, SECONDS))
					.withMessageContaining("not what Consul answers"));
	}

	@Test
	void nestingIsBounded() throws IOException {
		String nested = "[".repeat(100_000) + "]".repeat(100_000);
		with("200 OK", "{\"Results\": [{\"KV\": {\"Key\": \"k\", \"CreateIndex\": 5, \"ModifyIndex\": 7}}], \"New\": "
				+ nested + "}", HttpConsulClientAnswerTests::assertThatWritesAreOpen);
	}

	@Test
	void sizeIsBounded() throws IOException {
		String megabyte = "100000\r\n" + "[".repeat(0x100000) + "\r\n";
		try (FakeHttpServer server = FakeHttpServer.running((number, exchange) -> {
			if (number == 1) {
				exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n[");
			}
			else {
				exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
				while (true) {
					exchange.write(megabyte);
				}
			}
		}); HttpConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			for (int i = 0; i < 2; i++) {
				assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.read("k", SECONDS))
					.withMessageContaining("longer than 67108864 bytes");
			}
			assertThat(server.connections()).isEqualTo(2);
			assertThat(client.leasedConnections()).isZero();
		}
	}

	private static void assertThatWritesAreOpen(ConsulClient client) {
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> client.transact(LOCK, SECONDS))
			.withMessageContaining("not what Consul answers");
	}

	private static void with(String status, String body, Consumer<ConsulClient> call) throws IOException {
		try (FakeHttpServer server = FakeHttpServer.answering(FakeHttpServer.answer(status, body));
				ConsulClient client = HttpConsulClient.builder(server.uri()).build()) {
			call.accept(client);
		}
	}

}
