package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Predicate;

import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockOptions;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Random sequences of all operations on all kinds of locks, by several instances, against
 * a model that knows who holds what. A failure names its seed; to replay it, set the
 * system property {@code consul.lock.model.seed}.
 */
@ConsulTest
class RandomisedModelTests {

	private static final Duration LONG = Duration.ofMinutes(1);

	@Test
	void onAnInMemoryConsul() {
		try (InMemoryConsulClient consul = new InMemoryConsulClient()) {
			run(10_000, "locks/", consul::newClient);
		}
	}

	@Test
	void onConsul(ConsulServer consul, KeyPrefix prefix) {
		run(400, prefix.value(), () -> new PatientClient(consul.httpUri()));
	}

	private static void run(int steps, String prefix, Clients clients) {
		long seed = Long.getLong("consul.lock.model.seed", new Random().nextLong());
		System.out.println("Random operations: -Dconsul.lock.model.seed=" + seed);
		Walk walk = new Walk(new Random(seed), prefix, clients);
		try {
			for (int i = 0; i < steps; i++) {
				walk.step();
			}
			walk.end();
		}
		catch (Throwable ex) {
			throw new AssertionError("With the seed " + seed + ", after\n" + String.join("\n", walk.log), ex);
		}
		finally {
			walk.stop();
		}
	}

	private interface Clients {

		ConsulClient create();

	}

	/** What can be held: by how many, and beside what else. */
	private enum Resource {

		A, B, C, A_AND_B, B_AND_C, ALL, PERMIT, READ, WRITE;

		Acquirable of(ConsulLockRegistry registry) {
			return switch (this) {
				case A, B, C -> registry.obtain(name().toLowerCase());
				case A_AND_B -> registry.obtainAll(List.of("b", "a"));
				case B_AND_C -> registry.obtainAll(List.of("b", "c"));
				case ALL -> registry.obtainAll(List.of("c", "a", "b"));
				case PERMIT -> registry.semaphore("s", 2);
				case READ -> registry.readWriteLock("rw").readLock();
				case WRITE -> registry.readWriteLock("rw").writeLock();
			};
		}

		/** What is written to once more each time it is acquired, so that tokens rise. */
		Set<String> keys() {
			return switch (this) {
				case A, B, C -> Set.of(name());
				case A_AND_B -> Set.of("A", "B");
				case B_AND_C -> Set.of("B", "C");
				case ALL -> Set.of("A", "B", "C");
				case PERMIT -> Set.of("s");
				case READ, WRITE -> Set.of("rw");
			};
		}

		boolean excludes(Resource other) {
			if (this == PERMIT || (this == READ && other == READ)) {
				return false;
			}
			return keys().stream().anyMatch(other.keys()::contains);
		}

	}

	private record Held(int instance, Resource resource, LockHandle handle) {

		String session() {
			return ((Hold) this.handle).session().id();
		}

	}

	/** One walk through the states of the model and of Consul. */
	private static final class Walk {

		private static final int INSTANCES = 3;

		private final Random random;

		private final String prefix;

		private final Clients clients;

		private final ConsulClient observer;

		private final List<ConsulLockRegistry> registries = new ArrayList<>();

		private final List<ConsulClient> open = new ArrayList<>();

		private final List<Held> held = new ArrayList<>();

		private final Map<String, Long> tokens = new HashMap<>();

		/** The last steps, for a failure's message. */
		private final List<String> log = new ArrayList<>();

		private int puts;

		Walk(Random random, String prefix, Clients clients) {
			this.random = random;
			this.prefix = prefix;
			this.clients = clients;
			this.observer = clients.create();
			for (int i = 0; i < INSTANCES; i++) {
				this.registries.add(newRegistry());
			}
		}

		private ConsulLockRegistry newRegistry() {
			ConsulClient client = this.clients.create();
			this.open.add(client);
			return ConsulLockRegistry.builder(client)
				.keyPrefix(this.prefix)
				.session(Instances.WITHOUT_LOCK_DELAY)
				.deleteOnRelease(this.random.nextBoolean())
				.shutdownTimeout(Duration.ZERO)
				.build();
		}

		void step() {
			int dice = this.random.nextInt(1000);
			if (dice < 420) {
				acquire();
			}
			else if (dice < 700) {
				pick((it) -> release(it, true));
			}
			else if (dice < 760) {
				pick(this::guardedPut);
			}
			else if (dice < 820) {
				lookAtHolders();
			}
			else if (dice < 870) {
				acquireAndCancel();
			}
			else if (dice < 880) {
				lockByThread();
			}
			else if (dice < 890) {
				comeDownToReading();
			}
			else if (dice < 910) {
				pick(this::writeToEntry);
			}
			else if (dice < 950) {
				destroy();
			}
			else if (dice < 985) {
				pick(this::deleteEntry);
			}
			else if (dice < 997) {
				pick(this::endSession);
			}
			else {
				restart();
			}
			assertThat(this.held).allMatch((it) -> it.handle().isHeld());
		}

		private void pick(Consumer<Held> action) {
			if (!this.held.isEmpty()) {
				action.accept(this.held.get(this.random.nextInt(this.held.size())));
			}
		}

		private void say(String what) {
			this.log.add(what);
			if (this.log.size() > 60) {
				this.log.remove(0);
			}
		}

		private Resource anyResource() {
			return Resource.values()[this.random.nextInt(Resource.values().length)];
		}

		private boolean isFree(Resource resource) {
			long permits = this.held.stream().filter((it) -> it.resource() == Resource.PERMIT).count();
			return (resource != Resource.PERMIT || permits < 2)
					&& this.held.stream().noneMatch((it) -> it.resource().excludes(resource));
		}

		private void acquire() {
			int instance = this.random.nextInt(INSTANCES);
			Resource resource = anyResource();
			Acquirable lock = resource.of(this.registries.get(instance));
			boolean free = isFree(resource);
			say(instance + " acquires " + resource + (free ? "" : ", in vain"));
			if (!free) {
				assertThat(lock.tryAcquire(Duration.ZERO)).isEmpty();
				return;
			}
			LockHandle handle = this.random.nextBoolean() ? lock.acquire(LONG) : lock.acquireAsync(LONG).join();
			for (String key : resource.keys()) {
				Long before = this.tokens.put(key, handle.fencingToken());
				assertThat(handle.fencingToken()).isGreaterThan((before != null) ? before : 0);
			}
			this.held.add(new Held(instance, resource, handle));
		}

		private void acquireAndCancel() {
			int instance = this.random.nextInt(INSTANCES);
			Resource resource = anyResource();
			if (isFree(resource)) {
				return;
			}
			say(instance + " waits for " + resource + ", and leaves");
			CompletableFuture<LockHandle> future = resource.of(this.registries.get(instance))
				.acquireAsync(LockOptions.FOREVER);
			if (this.random.nextBoolean()) {
				Thread.yield();
			}
			assertThat(future.cancel(true)).isTrue();
		}

		private void lockByThread() {
			int instance = this.random.nextInt(INSTANCES);
			Resource resource = Resource.values()[this.random.nextInt(Resource.PERMIT.ordinal())];
			if (!isFree(resource)) {
				return;
			}
			say(instance + " locks " + resource + " twice, and unlocks");
			ConsulLock lock = (ConsulLock) resource.of(this.registries.get(instance));
			lock.lock();
			assertThat(lock.tryLock()).isTrue();
			lock.unlock();
			assertThat(lock.isLocked()).isTrue();
			assertThat(resource.of(other(instance)).tryAcquire(Duration.ZERO)).isEmpty();
			lock.unlock();
			assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
		}

		private void comeDownToReading() {
			int instance = this.random.nextInt(INSTANCES);
			if (!isFree(Resource.WRITE)) {
				return;
			}
			say(instance + " writes, and comes down to reading");
			ConsulReadWriteLock lock = this.registries.get(instance).readWriteLock("rw");
			ConsulReadWriteLock other = other(instance).readWriteLock("rw");
			lock.writeLock().lock();
			lock.readLock().lock();
			assertThat(other.readLock().tryAcquire(Duration.ZERO)).isEmpty();
			lock.writeLock().unlock();
			assertThatExceptionOfType(IllegalStateException.class).isThrownBy(lock.writeLock()::lock);
			assertThat(other.writeLock().tryAcquire(Duration.ZERO)).isEmpty();
			assertThat(other.readLock().acquire(LONG).release()).isTrue();
			lock.readLock().unlock();
		}

		private ConsulLockRegistry other(int instance) {
			return this.registries.get((instance + 1) % INSTANCES);
		}

		private void release(Held it, boolean expected) {
			say(it.instance() + " releases " + it.resource() + (expected ? "" : ", which it has lost"));
			assertThat(it.handle().release()).isEqualTo(expected);
			assertThat(it.handle().release()).isEqualTo(expected);
			assertThat(it.handle().isHeld()).isFalse();
			this.held.remove(it);
		}

		private void guardedPut(Held it) {
			String value = "value " + ++this.puts;
			say(it.instance() + " puts under " + it.resource());
			it.handle().guardedPut("data/" + this.prefix + "x", value);
			assertThat(this.observer.read("data/" + this.prefix + "x", LONG).orElseThrow().value()).isEqualTo(value);
		}

		private void lookAtHolders() {
			ConsulLockRegistry registry = this.registries.get(this.random.nextInt(INSTANCES));
			for (Resource resource : List.of(Resource.A, Resource.B, Resource.C, Resource.READ, Resource.WRITE)) {
				ConsulLock lock = (ConsulLock) resource.of(registry);
				boolean isHeld = this.held.stream()
					.anyMatch((it) -> (it.resource() == resource) || (resource.ordinal() <= Resource.C.ordinal()
							&& it.resource().keys().contains(resource.name())));
				// What is left of one that was lost goes in the background.
				await().pollDelay(Duration.ZERO)
					.untilAsserted(() -> assertThat(lock.isLocked()).as(resource.name()).isEqualTo(isHeld));
			}
			await().pollDelay(Duration.ZERO)
				.untilAsserted(() -> assertThat(registry.semaphore("s", 2).holders()).hasSize(permits()));
			int index = this.registries.indexOf(registry);
			assertThat(registry.heldLocks())
				.hasSize((int) this.held.stream().filter((it) -> it.instance() == index).count());
		}

		private int permits() {
			return (int) this.held.stream().filter((it) -> it.resource() == Resource.PERMIT).count();
		}

		private void destroy() {
			Resource resource = anyResource();
			Acquirable lock = resource.of(this.registries.get(this.random.nextInt(INSTANCES)));
			boolean inUse = this.held.stream()
				.anyMatch((it) -> it.resource().keys().stream().anyMatch(resource.keys()::contains));
			say("destroy " + resource + (inUse ? ", in vain" : ""));
			if (inUse) {
				assertThatExceptionOfType(LockInUseException.class).isThrownBy(() -> destroy(lock));
			}
			else {
				// Who has just left may still be on its way out of the queue.
				await().pollDelay(Duration.ZERO)
					.ignoreExceptionsInstanceOf(LockInUseException.class)
					.until(() -> destroy(lock));
			}
		}

		private boolean destroy(Acquirable lock) {
			try {
				if (lock instanceof ConsulSemaphore semaphore) {
					semaphore.destroy();
				}
				else {
					((ConsulLock) lock).destroy();
				}
			}
			catch (LockInUseException ex) {
				// A dead holder keeps its place until somebody takes it.
				if (isFree(Resource.WRITE) && String.valueOf(ex.getMessage()).contains("session has ended")) {
					Resource.WRITE.of(this.registries.get(0)).acquire(LONG).close();
				}
				throw ex;
			}
			return true;
		}

		/** The entry whose change or loss concerns all holders of a resource. */
		private @Nullable KvEntry entry(Resource resource) {
			String key = switch (resource) {
				case A, A_AND_B, ALL -> "a";
				case B, B_AND_C -> "b";
				case C -> "c";
				case PERMIT -> "s/.lock";
				case READ, WRITE -> "rw";
			};
			return this.observer.read(this.prefix + key, LONG).orElse(null);
		}

		/** As an operator might, to leave a note; moves the entry's index. */
		private void writeToEntry(Held it) {
			KvEntry entry = entry(it.resource());
			say("write to the entry of " + it.resource());
			this.observer.transact(List.of(KvOperation.set(entry.key(),
					(it.resource().ordinal() < Resource.PERMIT.ordinal()) ? "note " + ++this.puts : " " + entry.value(),
					entry.flags())), LONG);
		}

		private void deleteEntry(Held it) {
			String key = entry(it.resource()).key();
			say("delete " + key);
			this.observer.transact(List.of(KvOperation.delete(key)), LONG);
			Set<String> lost = new TreeSet<>(it.resource().keys());
			String name = key.substring(this.prefix.length());
			lost.removeIf((each) -> !name.equalsIgnoreCase(each) && !name.startsWith(each + "/"));
			losers((other) -> other.resource().keys().stream().anyMatch(lost::contains));
		}

		private void endSession(Held it) {
			say("end the session of " + it.instance() + " " + it.resource());
			String session = it.session();
			this.observer.destroySession(session);
			losers((other) -> other.session().equals(session));
		}

		private void losers(Predicate<Held> condition) {
			for (Held it : this.held.stream().filter(condition).toList()) {
				if (this.random.nextInt(20) == 0) {
					// Noticed by itself, in time.
					await().pollDelay(Duration.ZERO).until(() -> !it.handle().isHeld());
				}
				else if (this.random.nextInt(20) == 0) {
					assertThatExceptionOfType(LockLostException.class)
						.isThrownBy(() -> it.handle().guardedPut("data/" + this.prefix + "y", "never"));
				}
				release(it, false);
			}
			assertThat(this.observer.read("data/" + this.prefix + "y", LONG)).isEmpty();
		}

		private void restart() {
			int instance = this.random.nextInt(INSTANCES);
			say("restart " + instance);
			this.registries.get(instance).close();
			for (Held it : this.held.stream().filter((each) -> each.instance() == instance).toList()) {
				release(it, false);
			}
			this.registries.set(instance, newRegistry());
		}

		void end() {
			while (!this.held.isEmpty()) {
				release(this.held.get(0), true);
			}
			for (Resource resource : Resource.values()) {
				Acquirable lock = resource.of(this.registries.get(0));
				await().pollDelay(Duration.ZERO)
					.ignoreExceptionsInstanceOf(LockInUseException.class)
					.until(() -> destroy(lock));
			}
			for (ConsulLockRegistry registry : this.registries) {
				await().pollDelay(Duration.ZERO).until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
				registry.close();
			}
			this.observer.transact(List.of(KvOperation.delete("data/" + this.prefix + "x")), LONG);
			assertThat(this.observer.list(this.prefix)).extracting(KvEntry::key).isEmpty();
		}

		void stop() {
			this.registries.forEach(ConsulLockRegistry::close);
			this.open.forEach(ConsulClient::close);
			this.observer.close();
		}

	}

}
