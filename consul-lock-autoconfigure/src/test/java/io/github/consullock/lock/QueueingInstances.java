package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

import io.github.consullock.LockHandle;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.KvOperation.Verb;
import io.github.consullock.consul.SessionRequest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Instances that queue up for locks.
 */
abstract class QueueingInstances extends HookedInstances {

	static final Duration LONG = Duration.ofMinutes(1);

	static final Predicate<List<KvOperation>> ENQUEUE = (operations) -> operations.stream()
		.anyMatch((operation) -> operation.verb() == Verb.SET && operation.key().contains("/queues/"));

	CompletableFuture<LockHandle> acquire(ConsulLockRegistry registry, String key) {
		// Not on a pool, which may have fewer threads than there are waiters.
		return CompletableFuture.supplyAsync(() -> registry.obtain(key).acquire(), (task) -> new Thread(task).start());
	}

	/** One that is nobody's. */
	String session() {
		return this.instances.observer.createSession(new SessionRequest(this.instances.prefix() + "-foreign",
				Duration.ofMinutes(10), Duration.ZERO, SessionBehavior.RELEASE, List.of(), List.of()));
	}

	/** As an instance does that stops at once. */
	void enqueue(String key, String session, long flags) {
		enqueue(root(key), session + "-1", session, flags);
	}

	void enqueue(String root, String id, String session, long flags) {
		this.instances.observer.transact(List.of(KvOperation.set(root + "marker", session, 0),
				KvOperation.lock(root + id, session, "somebody", flags)), LONG);
	}

	String root(String key) {
		return this.instances.prefix() + ".consul-lock/queues/" + key + "/.contenders/";
	}

	/** The marker included. */
	List<KvEntry> queue(String key) {
		return this.instances.observer.list(root(key));
	}

	/** Without those of a queue further below. */
	List<KvEntry> waiters(String key) {
		String root = root(key);
		return queue(key).stream()
			.filter((entry) -> entry.key().indexOf('/', root.length()) < 0 && !entry.key().endsWith("/marker"))
			.toList();
	}

	void awaitQueued(String key, int count) {
		await().untilAsserted(() -> assertThat(waiters(key)).hasSize(count));
	}

	/** Neither a lock nor a queue. */
	void awaitNothing(String key) {
		await().untilAsserted(() -> {
			assertThat(this.instances.entry(key)).isNull();
			assertThat(queue(key)).isEmpty();
		});
	}

}
