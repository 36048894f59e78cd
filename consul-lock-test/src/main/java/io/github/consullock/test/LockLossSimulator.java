package io.github.consullock.test;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.ListableBeanFactory;

/**
 * Takes locks away from those who hold them, to test what they do then. A bean of a test
 * with {@link LocalLocks @LocalLocks}. A lock is lost by what would be done to it in
 * Consul; nothing is mocked.
 * <p>
 * A key is named as in the annotation or in the call of the registry, evaluated:
 * {@code orders/42}. The full key in Consul, {@code locks/orders/42}, will do too, and is
 * needed for a registry whose prefix is not {@code consul.lock.key-prefix}.
 * <p>
 * Safe for use by several threads at once, that of the holder among them.
 *
 * @since 0.1.0
 */
public final class LockLossSimulator {

	private static final Duration HELD_TIMEOUT = Duration.ofSeconds(10);

	private static final Duration POLL_INTERVAL = Duration.ofMillis(10);

	private final InMemoryConsul consul;

	private final ListableBeanFactory beanFactory;

	private final String keyPrefix;

	LockLossSimulator(InMemoryConsul consul, ListableBeanFactory beanFactory, String keyPrefix) {
		this.consul = consul;
		this.beanFactory = beanFactory;
		this.keyPrefix = keyPrefix;
	}

	/**
	 * Takes a lock away by deleting its entry: {@link LockLostReason#KEY_DELETED}. Ends
	 * this one hold; the key is free.
	 * @param key the key; somebody holds it, or will within 10 s
	 * @throws AssertionError if nobody holds the key, or its holder gave it up before it
	 * was lost
	 * @see #lose(String, LockLostReason)
	 */
	public void lose(String key) {
		lose(key, LockLostReason.KEY_DELETED);
	}

	/**
	 * Takes a lock away. On return it is lost: {@link LockHandle#isHeld()} is false, and
	 * the holder is being told, for which the thread of an annotated method is
	 * interrupted. What the holder makes of that is for the test to wait for.
	 * <p>
	 * The reason says how:
	 * <ul>
	 * <li>{@code KEY_DELETED}: the lock's entry is deleted; of a semaphore or a
	 * read-write lock, the holder's own. The key is free.
	 * <li>{@code TAKEN_OVER}: another session takes the entry, and gives it up once the
	 * holder is told; of a semaphore or a read-write lock, the holder's place is taken.
	 * The key is free.
	 * <li>{@code SESSION_INVALIDATED}: the session is destroyed. The other locks of the
	 * same registry are lost too, a moment sooner or later, and all their keys stay
	 * closed for lock-delay, 25 s by default, as they would in Consul. A permit of a
	 * semaphore has a session of its own: no other is lost with it.
	 * <li>{@code DEADLINE_PASSED}: Consul answers to no request of the application until
	 * the lock is lost, which takes nearly {@code consul.lock.session.ttl}, 25 s by
	 * default. The other locks of the same registry are lost too, and all their keys stay
	 * closed for lock-delay from then on. Locks of other registries may be lost or not.
	 * </ul>
	 * @param key the key; somebody holds it, or will within 10 s. Of several holders, as
	 * a semaphore allows, one loses it
	 * @param reason why it is lost
	 * @throws AssertionError if nobody holds the key, or its holder gave it up before it
	 * was lost
	 * @throws IllegalArgumentException if the reason is another one, to which nothing
	 * that happens in Consul leads
	 */
	public void lose(String key, LockLostReason reason) {
		String origin = otherOrigin(reason);
		if (origin != null) {
			throw new IllegalArgumentException(reason + " cannot be simulated: it comes of " + origin);
		}
		LockHandle handle = awaitHeld(key, HELD_TIMEOUT);
		LockLoss loss = new LockLoss(this.consul, handle, fullKey(handle, key).orElseThrow(), reason);
		CompletableFuture.supplyAsync(loss::happen, (task) -> new Thread(task, "lock-loss-simulator").start())
			.join()
			.ifPresent((problem) -> {
				throw new AssertionError(problem);
			});
	}

	private static @Nullable String otherOrigin(LockLostReason reason) {
		return switch (reason) {
			case KEY_DELETED, TAKEN_OVER, SESSION_INVALIDATED, DEADLINE_PASSED -> null;
			case MAX_HOLD_EXCEEDED -> "maxHold: have the test set a short one";
			case SHUTDOWN -> "closing the registry: have the test do that";
		};
	}

	/**
	 * Does something while Consul answers to no request of the application: a lock that
	 * is asked for ends in {@link io.github.consullock.ConsulUnavailableException} when
	 * its wait time is over, and one that is held is lost when that takes too long.
	 * @param <E> what the work may throw
	 * @param work what to do meanwhile
	 * @throws E what the work threw
	 */
	public <E extends Exception> void duringOutage(OutageWork<E> work) throws E {
		this.consul.beginOutage();
		try {
			work.run();
		}
		finally {
			this.consul.endOutage();
		}
	}

	/**
	 * Waits until somebody holds a key. For an annotated method that is before its body
	 * begins.
	 * @param key the key
	 * @param timeout how long to wait at most
	 * @return the hold; of several, as a semaphore allows, any of them
	 * @throws AssertionError if nobody holds the key by then, or the thread is
	 * interrupted while it waits
	 */
	public LockHandle awaitHeld(String key, Duration timeout) {
		long start = System.nanoTime();
		while (true) {
			Optional<LockHandle> held = held().filter((handle) -> fullKey(handle, key).isPresent()).findAny();
			if (held.isPresent()) {
				return held.get();
			}
			if (System.nanoTime() - start >= timeout.toNanos()) {
				throw new AssertionError("Nobody came to hold '" + key + "' within " + timeout.toMillis()
						+ " ms. Held now: " + heldKeys() + ". A key is named as in the annotation, evaluated, with the"
						+ " prefix '" + this.keyPrefix + "' or without");
			}
			try {
				Thread.sleep(POLL_INTERVAL.toMillis());
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				throw new AssertionError("Interrupted while nobody held '" + key + "'", ex);
			}
		}
	}

	/**
	 * The keys that are held now, each as often as it is held, without
	 * {@code consul.lock.key-prefix}, in sorted order.
	 */
	public List<String> heldKeys() {
		return held().flatMap((handle) -> handle.keys().stream())
			.map((key) -> key.startsWith(this.keyPrefix) ? key.substring(this.keyPrefix.length()) : key)
			.sorted()
			.toList();
	}

	private Stream<LockHandle> held() {
		return BeanFactoryUtils.beansOfTypeIncludingAncestors(this.beanFactory, ConsulLockRegistry.class)
			.values()
			.stream()
			.flatMap((registry) -> registry.heldLocks().stream());
	}

	private Optional<String> fullKey(LockHandle handle, String key) {
		return handle.keys()
			.stream()
			.filter((held) -> held.equals(this.keyPrefix + key) || held.equals(key))
			.findFirst();
	}

	/**
	 * What is done during an outage.
	 *
	 * @param <E> what it may throw
	 */
	@FunctionalInterface
	public interface OutageWork<E extends Exception> {

		/**
		 * Does it.
		 * @throws E if it fails
		 */
		void run() throws E;

	}

}
