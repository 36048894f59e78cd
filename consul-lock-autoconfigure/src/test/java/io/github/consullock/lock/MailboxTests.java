package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvSnapshot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which snapshots a waiter gets.
 */
class MailboxTests {

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final Background background = new Background();

	private final KeyWatches watches = new KeyWatches(this.consul, this.background, new Semaphore(10));

	private final Mailbox mailbox = new Mailbox();

	@AfterEach
	void close() {
		this.watches.close();
		this.background.close();
		this.consul.close();
	}

	@Test
	void aSnapshotThatWasUnderWayWhenAnotherKeyWasOpenedIsNotTakenForThatOfTheOther() {
		CompletableFuture<CompletableFuture<KvSnapshot>> opened = new CompletableFuture<>();
		// Told of the same snapshot right before the mailbox.
		this.watches.subscribe("a", null, (snapshot) -> {
			if (snapshot.entry() != null) {
				this.mailbox.open(this.watches, "b", null);
				opened.complete(this.mailbox.next((there) -> there.entry() != null));
			}
		});
		this.mailbox.open(this.watches, "a", null);
		write("a");
		CompletableFuture<KvSnapshot> next = opened.join();
		write("b");
		assertThat(next.join().entry().key()).isEqualTo("b");
	}

	@Test
	void aSnapshotThatWasUnderWayAtTheEndIsNotReceived() {
		CompletableFuture<CompletableFuture<KvSnapshot>> ended = new CompletableFuture<>();
		CompletableFuture<Boolean> told = new CompletableFuture<>();
		this.watches.subscribe("a", null, (snapshot) -> {
			if (snapshot.entry() != null) {
				this.mailbox.end();
				ended.complete(this.mailbox.next((there) -> true));
			}
		});
		this.mailbox.open(this.watches, "a", null);
		// Told right after it.
		this.watches.subscribe("a", null, (snapshot) -> {
			if (snapshot.entry() != null) {
				told.complete(true);
			}
		});
		write("a");
		assertThat(told.join()).isTrue();
		assertThat(ended.join()).isNotDone();
	}

	private void write(String key) {
		this.consul.transact(List.of(KvOperation.set(key, "value", 0)), Duration.ofSeconds(2));
	}

}
