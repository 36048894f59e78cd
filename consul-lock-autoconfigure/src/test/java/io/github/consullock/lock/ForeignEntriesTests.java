package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;

import io.github.consullock.LockException;
import io.github.consullock.LockHandle;
import io.github.consullock.NastyJson;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.SessionRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Entries that somebody else, who may write where the locks are, has filled with anything
 * at all: they may keep a lock from being acquired, and nothing else.
 */
@Timeout(120)
class ForeignEntriesTests {

	private static final Duration SECONDS = Duration.ofSeconds(30);

	private static final List<Long> FLAGS = List.of(LockFlags.LOCK, LockFlags.SEMAPHORE, LockFlags.READ_WRITE, 0L, 1L,
			-1L);

	/** What the entries hold that this library writes. */
	private static final List<String> GOOD = List.of(
			"{\"instance\":\"a\",\"host\":\"b\",\"pid\":1,\"since\":\"2026-01-01T00:00:00Z\"}",
			"{\"Limit\":2,\"Holders\":{\"4bd98ba5-bc25-3f0a-8d69-6f9f1ce2f3e4\":true}}",
			"{\"holders\":[{\"id\":\"x\",\"mode\":\"READ\"}],\"queue\":[{\"id\":\"y\",\"mode\":\"WRITE\"}]}");

	private final NastyJson json = new NastyJson(20261201);

	private final Random random = this.json.random();

	private final InMemoryConsulClient consul = new InMemoryConsulClient();

	private final ConsulClient stranger = this.consul.newClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.consul.newClient())
		.keyPrefix("locks/")
		.waitTime(Duration.ZERO)
		.shutdownTimeout(Duration.ZERO)
		.build();

	private final String session = this.stranger.createSession(new SessionRequest("stranger", Duration.ofHours(1),
			Duration.ZERO, SessionBehavior.RELEASE, List.of(), List.of()));

	@AfterEach
	void stop() {
		this.registry.close();
		this.consul.close();
	}

	@Test
	void whateverTheySayALockIsAcquiredOrItIsSaidWhyNot() {
		int acquired = 0;
		int refused = 0;
		for (int round = 0; round < 3000; round++) {
			String key = "a" + round;
			List<String> written = writeAround(key);
			for (Callable<Optional<LockHandle>> use : usesOf(key)) {
				if (isAcquired(use, key, written)) {
					acquired++;
				}
				else {
					refused++;
				}
			}
		}
		// Both happen, or nothing is tested.
		assertThat(acquired).isGreaterThan(500);
		assertThat(refused).isGreaterThan(500);
	}

	@Test
	void whateverIsWrittenWhileALockIsHeldItsReleaseEnds() {
		for (int round = 0; round < 500; round++) {
			String key = "b" + round;
			List<LockHandle> held = new ArrayList<>();
			held.add(this.registry.obtain(key).acquire());
			held.add(this.registry.semaphore(key + "s", 2).acquire());
			held.add(this.registry.readWriteLock(key + "r").readLock().acquire());
			List<String> written = new ArrayList<>();
			for (String each : List.of(key, key + "s", key + "r")) {
				written.addAll(writeAround(each));
			}
			for (LockHandle handle : held) {
				try {
					handle.close();
				}
				catch (LockException ex) {
					assertThat(handle.isHeld()).isFalse();
				}
				catch (RuntimeException | Error ex) {
					throw new AssertionError(written + ", " + this.json.replay(), ex);
				}
				assertThat(handle.isHeld()).isFalse();
			}
		}
	}

	private boolean isAcquired(Callable<Optional<LockHandle>> use, String key, List<String> written) {
		try {
			Optional<LockHandle> handle = use.call();
			handle.ifPresent(LockHandle::close);
			return handle.isPresent();
		}
		catch (LockException ex) {
			assertThat(ex).hasMessageContaining(key);
			assertThat(ex.getMessage().lines()).hasSize(1);
			return false;
		}
		catch (Exception | StackOverflowError ex) {
			throw new AssertionError(written + ", " + this.json.replay(), ex);
		}
	}

	private List<Callable<Optional<LockHandle>>> usesOf(String key) {
		ConsulLock lock = this.registry.obtain(key);
		ConsulSemaphore semaphore = this.registry.semaphore(key, 2);
		ConsulReadWriteLock readWriteLock = this.registry.readWriteLock(key);
		return List.of(() -> lock.tryAcquire(Duration.ZERO), () -> semaphore.tryAcquire(Duration.ZERO),
				() -> readWriteLock.readLock().tryAcquire(Duration.ZERO),
				() -> readWriteLock.writeLock().tryAcquire(Duration.ZERO), () -> {
					lock.holder();
					semaphore.holders();
					return Optional.empty();
				});
	}

	/** What was written, for the message of a failure. */
	private List<String> writeAround(String key) {
		String reserved = "locks/.consul-lock/";
		List<String> places = List.of("locks/" + key, "locks/" + key + "/.lock", "locks/" + key + "/" + this.session,
				"locks/" + key + "/x", reserved + "queues/" + key + "/.contenders/marker",
				reserved + "queues/" + key + "/.contenders/x", reserved + "queues/" + key + "/.permits/x",
				reserved + "rw/" + key + "/.members/x", reserved + "rw/" + key + "/.members/y");
		List<String> written = new ArrayList<>();
		for (int i = 0; i < 1 + this.random.nextInt(4); i++) {
			String place = places.get(this.random.nextInt(places.size()));
			String good = GOOD.get(this.random.nextInt(GOOD.size()));
			String value = (this.random.nextInt(5) == 0) ? good : this.json.insteadOf(good);
			long flags = FLAGS.get(this.random.nextInt(FLAGS.size()));
			KvOperation write = this.random.nextBoolean() ? KvOperation.set(place, value, flags)
					: KvOperation.lock(place, this.session, value, flags);
			this.stranger.transact(List.of(write), SECONDS);
			written
				.add(place + " = " + flags + " " + ((value.length() > 200) ? value.substring(0, 200) + "..." : value));
		}
		return written;
	}

}
