package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;

import io.github.consullock.ForwardingClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import io.github.consullock.consul.TransactionOutcome;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What a watch asks, and what it tells to whom.
 */
class KeyWatchesTests {

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final CountingClient consul = new CountingClient();

	private final Background background = new Background();

	private final KeyWatches queries = new KeyWatches(this.consul, this.background, new Semaphore(10));

	private final KeyWatches polls = new KeyWatches(this.consul, this.background, new Semaphore(0));

	private final LinkedBlockingQueue<KvSnapshot> told = new LinkedBlockingQueue<>();

	@AfterEach
	void close() {
		this.queries.close();
		this.polls.close();
		this.background.close();
		this.consul.close();
	}

	@Test
	void anEntryThatIsKnownIsWatchedFromThereOn() throws InterruptedException {
		KvEntry known = write("a");
		this.queries.subscribe("a", known, this.told::add);
		await().until(() -> !this.consul.watched.isEmpty());
		KvEntry next = write("a");
		assertThat(this.told.take().entry().modifyIndex()).isEqualTo(next.modifyIndex());
		assertThat(this.consul.watched.peek()).isEqualTo(known.modifyIndex());
	}

	@Test
	void anEntryThatIsNotKnownIsToldAsItIs() throws InterruptedException {
		KvEntry there = write("a");
		this.queries.subscribe("a", null, this.told::add);
		assertThat(this.told.take().entry().modifyIndex()).isEqualTo(there.modifyIndex());
		this.polls.subscribe("a", null, this.told::add);
		assertThat(this.told.take().entry().modifyIndex()).isEqualTo(there.modifyIndex());
	}

	@Test
	void whoKnowsLessThanAnotherIsTold() throws InterruptedException {
		KvEntry first = write("a");
		KvEntry second = write("a");
		for (KeyWatches watches : List.of(this.queries, this.polls)) {
			watches.subscribe("a", second, (snapshot) -> {
			});
			watches.subscribe("a", first, this.told::add);
			assertThat(this.told.take().entry().modifyIndex()).isEqualTo(second.modifyIndex());
			watches.subscribe("a", null, this.told::add);
			assertThat(this.told.take().entry().modifyIndex()).isEqualTo(second.modifyIndex());
		}
	}

	@Test
	void whoKnowsMoreThanAnotherIsToldOfItOnceTheWatchHasSeenIt() throws InterruptedException {
		KvEntry first = write("a");
		KvEntry second = write("a");
		for (KeyWatches watches : List.of(this.queries, this.polls)) {
			CompletableFuture<Long> other = new CompletableFuture<>();
			watches.subscribe("a", first, (snapshot) -> other.complete(snapshot.entry().modifyIndex()));
			watches.subscribe("a", second, this.told::add);
			assertThat(other.join()).isEqualTo(second.modifyIndex());
			await().until(() -> this.told.stream().anyMatch((snapshot) -> snapshot.index() == second.modifyIndex()));
			this.told.clear();
		}
	}

	@Test
	void keysThatAreKnownAreCheckedInBatchesAndNeverRead() {
		for (int i = 0; i < 70; i++) {
			KvEntry known = write("a" + i);
			this.polls.subscribe("a" + i, known, this.told::add);
			this.polls.expect("b" + i, write("b" + i), this.told::add);
		}
		await().until(() -> this.consul.checks("a0") > 2 && this.consul.checks("b0") > 2);
		assertThat(this.consul.reads).isEmpty();
		assertThat(this.told).isEmpty();
	}

	@Test
	void aKeyThatIsWaitedForIsPolledMoreOften() {
		this.polls.subscribe("held", write("held"), this.told::add);
		KvEntry both = write("both");
		this.polls.subscribe("both", both, this.told::add);
		var waiting = this.polls.expect("both", both, this.told::add);
		await().until(() -> this.consul.checks("both") > 20);
		assertThat(this.consul.checks("held")).isLessThan(this.consul.checks("both"));
		waiting.close();
		// From then on they are in the same batches.
		await().until(() -> this.consul.isLastCheckOf("held", "both"));
	}

	@Test
	void aWatchEndsWithTheAnswerThatWasWaitedFor() {
		this.queries.expect("a", write("a"), (snapshot) -> snapshot.entry() == null);
		this.polls.expect("a", this.consul.read("a", TIMEOUT).orElseThrow(), (snapshot) -> snapshot.entry() == null);
		write("a");
		assertThat(this.queries.size() + this.polls.size()).isEqualTo(2);
		this.consul.transact(List.of(KvOperation.delete("a")), TIMEOUT);
		await().until(() -> this.queries.size() + this.polls.size() == 0);
		// That was the last query: none is cut off.
		assertThat(this.consul.watched.size()).isEqualTo(this.consul.answered.size());
	}

	@Test
	void othersAreToldOnWhenOneHasWhatItWaitedFor() throws InterruptedException {
		KvEntry known = write("a");
		this.queries.expect("a", known, (snapshot) -> true);
		this.queries.subscribe("a", known, this.told::add);
		KvEntry second = write("a");
		assertThat(this.told.take().entry().modifyIndex()).isEqualTo(second.modifyIndex());
		KvEntry third = write("a");
		assertThat(this.told.take().entry().modifyIndex()).isEqualTo(third.modifyIndex());
	}

	@Test
	void theManyWhoseKeysArePolledLookInTurns() {
		Duration alone = Duration.ofSeconds(2);
		for (int i = 0; i < 100; i++) {
			this.polls.expect("a" + i, null, (snapshot) -> false);
			this.polls.subscribe("held" + i, null, this.told::add);
		}
		assertThat(this.polls.betweenLooks(alone)).isEqualTo(alone);
		List<KeyWatches.Subscription> others = new ArrayList<>();
		for (int i = 0; i < 100; i++) {
			others.add(this.polls.expect("b" + i, null, (snapshot) -> false));
		}
		assertThat(this.polls.betweenLooks(alone)).isEqualTo(alone.multipliedBy(2));
		others.forEach(KeyWatches.Subscription::close);
		assertThat(this.polls.betweenLooks(alone)).isEqualTo(alone);
	}

	/** What Consul makes of a write; the value is not in its answer. */
	private KvEntry write(String key) {
		TransactionOutcome outcome = this.consul.transact(List.of(KvOperation.set(key, "value" + System.nanoTime(), 0)),
				TIMEOUT);
		return ((Committed) outcome).results().get(0);
	}

	/** Remembers what it was asked. */
	private static final class CountingClient extends ForwardingClient {

		private final Queue<Long> watched = new ConcurrentLinkedQueue<>();

		private final Queue<KvSnapshot> answered = new ConcurrentLinkedQueue<>();

		private final Queue<String> reads = new ConcurrentLinkedQueue<>();

		private final LinkedBlockingQueue<List<String>> checked = new LinkedBlockingQueue<>();

		CountingClient() {
			super(new InMemoryConsulClient());
		}

		@Override
		public KvSnapshot watch(String key, long index, Duration wait) {
			this.watched.add(index);
			KvSnapshot answer = super.watch(key, index, wait);
			this.answered.add(answer);
			return answer;
		}

		@Override
		public Optional<KvEntry> read(String key, Duration timeout) {
			this.reads.add(key);
			return super.read(key, timeout);
		}

		@Override
		public TransactionOutcome transact(List<KvOperation> operations, Duration timeout) {
			if (operations.get(0).verb().isRead()) {
				this.checked.add(operations.stream().map(KvOperation::key).toList());
			}
			return super.transact(operations, timeout);
		}

		long checks(String key) {
			return this.checked.stream().filter((keys) -> keys.contains(key)).count();
		}

		boolean isLastCheckOf(String... keys) {
			List<String> last = this.checked.stream().reduce(List.of(), (before, next) -> next);
			return last.containsAll(List.of(keys));
		}

	}

}
