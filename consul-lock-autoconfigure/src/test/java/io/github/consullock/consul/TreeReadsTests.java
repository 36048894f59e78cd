package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import io.github.consullock.PatientClient;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

/**
 * Reads inside of transactions, and of all that is below a prefix, by each
 * {@link ConsulClient}.
 */
@ConsulTest
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TreeReadsTests {

	private static final Duration LONG = Duration.ofSeconds(60);

	private final ConsulServer consul;

	private final String prefix = "trees-" + UUID.randomUUID() + "/";

	TreeReadsTests(ConsulServer consul) {
		this.consul = consul;
	}

	Stream<Named<ConsulClient>> clients() {
		return Stream.of(Named.of("a real Consul", HttpConsulClient.builder(this.consul.httpUri()).build()),
				Named.of("in memory", new InMemoryConsulClient()));
	}

	@ParameterizedTest
	@MethodSource("clients")
	void aTransactionTellsWhatIsBelowAPrefixAsItLeavesIt(ConsulClient client) {
		try (client) {
			String key = key();
			client.transact(List.of(KvOperation.set(key + "/b", "2", 7), KvOperation.set(key + "/c", "3", 0),
					KvOperation.set(key + "elsewhere", "4", 0)), LONG);
			Committed outcome = (Committed) client.transact(List.of(KvOperation.set(key + "/a", "1", 0),
					KvOperation.delete(key + "/c"), KvOperation.getTree(key + "/")), LONG);
			assertThat(outcome.results().subList(1, outcome.results().size())).isEqualTo(client.list(key + "/"))
				.extracting(KvEntry::key, KvEntry::value, KvEntry::flags)
				.containsExactly(tuple(key + "/a", "1", 0L), tuple(key + "/b", "2", 7L));
		}
	}

	@ParameterizedTest
	@MethodSource("clients")
	void aTransactionThatOnlyReadsTellsOneEntryAndATree(ConsulClient client) {
		try (client) {
			String key = key();
			client.transact(List.of(KvOperation.set(key, "v", 5), KvOperation.set(key + "/a", "1", 0)), LONG);
			assertThat(client.transact(List.of(KvOperation.get(key), KvOperation.getTree(key + "/")), LONG))
				.isEqualTo(new Committed(List.of(client.read(key, LONG).orElseThrow(), client.list(key + "/").get(0))));
			assertThat(client.transact(List.of(KvOperation.getTree(key + "/none/")), LONG))
				.isEqualTo(new Committed(List.of()));
		}
	}

	@ParameterizedTest
	@MethodSource("clients")
	void theReadOfOneEntryThatIsNotThereFails(ConsulClient client) {
		try (client) {
			String key = key();
			RolledBack outcome = (RolledBack) client
				.transact(List.of(KvOperation.set(key + "/a", "", 0), KvOperation.get(key)), LONG);
			assertThat(outcome.reasonOf(1)).contains(FailureReason.ABSENT);
			assertThat(client.list(key)).isEmpty();
		}
	}

	@ParameterizedTest
	@MethodSource("clients")
	void aWatchOfATreeIsWokenByWhatComesBelow(ConsulClient client) {
		try (client) {
			String key = key();
			client.transact(List.of(KvOperation.set(key + "/a", "1", 0)), LONG);
			long index = client.list(key + "/").get(0).modifyIndex();
			CompletableFuture<List<KvEntry>> woken = CompletableFuture
				.supplyAsync(() -> client.watchTree(key + "/", index, LONG));
			client.transact(List.of(KvOperation.set(key + "elsewhere", "", 0)), LONG);
			client.transact(List.of(KvOperation.set(key + "/b", "2", 0)), LONG);
			assertThat(woken.join()).isEqualTo(client.list(key + "/")).hasSize(2);
		}
	}

	@ParameterizedTest
	@MethodSource("clients")
	void aWatchOfATreeAnswersAtOnceWhatHasChangedSince(ConsulClient client) {
		try (client) {
			String key = key();
			client.transact(List.of(KvOperation.set(key + "/a", "1", 0), KvOperation.set(key + "/b", "1", 0)), LONG);
			long index = client.list(key + "/").get(0).modifyIndex();
			client.transact(List.of(KvOperation.delete(key + "/a")), LONG);
			assertThat(client.watchTree(key + "/", index, LONG.multipliedBy(10))).extracting(KvEntry::key)
				.containsExactly(key + "/b");
			assertThat(client.watchTree(key + "/", 0, LONG.multipliedBy(10))).hasSize(1);
		}
	}

	@ParameterizedTest
	@MethodSource("clients")
	void aWatchOfATreeEndsWithItsWaitWhenNothingChanges(ConsulClient client) {
		try (client) {
			String key = key();
			client.transact(List.of(KvOperation.set(key + "/a", "1", 0)), LONG);
			long index = client.list(key + "/").get(0).modifyIndex();
			assertThat(PatientClient.answered(() -> client.watchTree(key + "/", index, Duration.ofMillis(100))))
				.hasSize(1);
		}
	}

	private String key() {
		return this.prefix + UUID.randomUUID();
	}

}
