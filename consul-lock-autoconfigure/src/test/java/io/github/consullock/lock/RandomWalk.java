package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.LockInUseException;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.lock.LockModel.Claim;
import io.github.consullock.lock.LockModel.Held;
import io.github.consullock.lock.LockModel.Kept;
import io.github.consullock.lock.LockModel.Resource;
import org.jspecify.annotations.Nullable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * One walk of several instances through the states of a {@link LockModel} and of Consul.
 */
final class RandomWalk {

	private static final int INSTANCES = 3;

	private static final Duration LONG = Duration.ofMinutes(1);

	/** Lasts longer than the walk. */
	private static final Duration FOR_GOOD = Duration.ofHours(1);

	/** Longer than an acquisition takes that nothing is in the way of. */
	private static final Duration SHORT = Duration.ofMillis(30);

	/** Within which a registry being closed settles what is left. */
	private static final Duration CLOSING = Duration.ofMillis(1500);

	private final Random random;

	private final String prefix;

	private final Supplier<ConsulClient> clients;

	private final ConsulClient observer;

	private final List<ConsulLockRegistry> registries = new ArrayList<>();

	private final List<ConsulClient> open = new ArrayList<>();

	private final NavigableMap<Integer, Runnable> operations = new TreeMap<>();

	private final LockModel model = new LockModel();

	private final LentSessions ownSessions;

	/** The last steps, for a failure's message. */
	private final List<String> log = new ArrayList<>();

	private int puts;

	RandomWalk(Random random, String prefix, Supplier<ConsulClient> clients) {
		this.random = random;
		this.prefix = prefix;
		this.clients = clients;
		this.observer = clients.get();
		this.ownSessions = new LentSessions(this.observer);
		for (int i = 0; i < INSTANCES; i++) {
			this.registries.add(newRegistry());
		}
		often(400, this::acquire);
		often(280, () -> pick(this.model.held.stream(), (it) -> release(it, true)));
		often(60, () -> pick(this.model.held.stream(), this::guardedPut));
		often(60, this::lookAtHolders);
		often(50, this::acquireAndCancel);
		often(10, this::lockByThread);
		often(10, this::comeDownToReading);
		often(5, this::releaseEarly);
		often(5, this::holdForTooLong);
		often(10, () -> pick(this.model.held.stream().filter(RandomWalk::isShareable), this::claimAgain));
		often(20, () -> pick(this.model.holds(), this::writeToEntry));
		often(40, this::destroy);
		often(35, () -> pick(this.model.holds(), this::deleteEntry));
		often(12, () -> pick(this.model.held.stream(), this::endSession));
		often(6, () -> pick(this.model.kept.stream().map(Kept::hold), this::endSession));
		often(3, this::restart);
	}

	private void often(int weight, Runnable operation) {
		this.operations.put(weight + (this.operations.isEmpty() ? 0 : this.operations.lastKey()), operation);
	}

	private ConsulLockRegistry newRegistry() {
		ConsulClient client = this.ownSessions.borrower(this.clients.get());
		this.open.add(client);
		return ConsulLockRegistry.builder(client)
			.keyPrefix(this.prefix)
			.session(Instances.WITHOUT_LOCK_DELAY)
			.deleteOnRelease(this.random.nextBoolean())
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	void step() {
		this.operations.higherEntry(this.random.nextInt(this.operations.lastKey())).getValue().run();
		assertThat(this.model.held).allMatch((it) -> it.handle().isHeld());
		assertThat(this.ownSessions.meddling()).isEmpty();
	}

	private <T> void pick(Stream<T> from, Consumer<T> action) {
		List<T> all = from.toList();
		if (!all.isEmpty()) {
			action.accept(all.get(this.random.nextInt(all.size())));
		}
	}

	/** What was done last. */
	String log() {
		return String.join("\n", this.log);
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

	private Claim any(Resource resource) {
		boolean own = resource != Resource.PERMIT && this.random.nextInt(4) == 0;
		return new Claim(this.random.nextInt(INSTANCES), resource, own ? this.ownSessions.any(this.random) : null);
	}

	private Acquirable lock(Claim claim, UnaryOperator<LockOptions.Builder> settings) {
		String own = claim.own();
		return claim.resource()
			.of(this.registries.get(claim.instance()),
					(options) -> settings.apply((own != null) ? options.session(own) : options));
	}

	private static String text(Claim claim) {
		return claim.resource() + ((claim.own() != null) ? " by the session " + claim.own() : "");
	}

	private void acquire() {
		Claim claim = any(anyResource());
		if (this.model.isShared(claim)) {
			return;
		}
		boolean free = this.model.isFree(claim);
		boolean keepsClosed = this.random.nextInt(20) == 0;
		Duration maxHold = this.random.nextInt(4) == 0 ? FOR_GOOD : null;
		say(claim.instance() + " acquires " + text(claim) + (keepsClosed ? ", for long" : "")
				+ (free ? "" : ", in vain"));
		Acquirable lock = lock(claim, (options) -> {
			options.holdAtLeast(keepsClosed ? FOR_GOOD : Duration.ZERO);
			return (maxHold != null) ? options.maxHold(maxHold) : options;
		});
		if (!free) {
			assertThat(inVain(lock)).isEmpty();
			return;
		}
		LockHandle handle = this.random.nextBoolean() ? lock.acquire(LONG) : lock.acquireAsync(LONG).join();
		assertThat(this.model.acquired(claim, handle.fencingToken())).isTrue();
		this.model.held.add(new Held(claim, keepsClosed, handle));
	}

	/** A session may have to be made, for which one attempt does not wait long. */
	private static Optional<LockHandle> inVain(Acquirable lock) {
		return PatientClient.answered(() -> lock.tryAcquire(Duration.ZERO));
	}

	private void acquireAndCancel() {
		Claim claim = new Claim(this.random.nextInt(INSTANCES), anyResource(), null);
		if (this.model.isFree(claim)) {
			return;
		}
		say(claim.instance() + " waits for " + claim.resource() + ", and leaves");
		CompletableFuture<LockHandle> future = lock(claim, (options) -> options).acquireAsync(LockOptions.FOREVER);
		if (this.random.nextBoolean()) {
			Thread.yield();
		}
		assertThat(future.cancel(true)).isTrue();
	}

	private void lockByThread() {
		Resource resource = Resource.values()[this.random.nextInt(Resource.PERMIT.ordinal())];
		Claim claim = new Claim(this.random.nextInt(INSTANCES), resource, null);
		if (!this.model.isFree(claim)) {
			return;
		}
		say(claim.instance() + " locks " + resource + " twice, and unlocks");
		ConsulLock lock = (ConsulLock) lock(claim, (options) -> options);
		lock.lock();
		assertThat(lock.tryLock()).isTrue();
		lock.unlock();
		assertThat(lock.isLocked()).isTrue();
		assertThat(inVain(resource.of(other(claim.instance())))).isEmpty();
		lock.unlock();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
	}

	private void comeDownToReading() {
		Claim claim = new Claim(this.random.nextInt(INSTANCES), Resource.WRITE, null);
		if (!this.model.isFree(claim)) {
			return;
		}
		say(claim.instance() + " writes, and comes down to reading");
		ConsulReadWriteLock lock = this.registries.get(claim.instance()).readWriteLock("rw");
		ConsulReadWriteLock other = other(claim.instance()).readWriteLock("rw");
		lock.writeLock().lock();
		lock.readLock().lock();
		assertThat(inVain(other.readLock())).isEmpty();
		lock.writeLock().unlock();
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(lock.writeLock()::lock);
		assertThat(inVain(other.writeLock())).isEmpty();
		assertThat(other.readLock().acquire(LONG).release()).isTrue();
		lock.readLock().unlock();
	}

	private ConsulLockRegistry other(int instance) {
		return this.registries.get((instance + 1) % INSTANCES);
	}

	/** The key stays closed until its time is over, and is then free. */
	private void releaseEarly() {
		Claim claim = any(anyResource());
		Acquirable next = rivalOf(claim).orElse(null);
		if (next == null || this.model.isShared(claim) || !this.model.isFree(claim)) {
			return;
		}
		say(claim.instance() + " releases " + text(claim) + " early");
		long start = System.nanoTime();
		LockHandle handle = lock(claim, (options) -> options.holdAtLeast(SHORT)).acquire(LONG);
		assertThat(this.model.acquired(claim, handle.fencingToken())).isTrue();
		CompletableFuture<LockHandle> waiting = this.random.nextBoolean() ? next.acquireAsync(LONG) : null;
		assertThat(handle.release()).isTrue();
		assertThat(handle.isHeld()).isFalse();
		LockHandle heir = (waiting != null) ? waiting.join() : next.acquire(LONG);
		assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(SHORT.toNanos());
		assertThat(this.model.acquired(claim, heir.fencingToken())).isTrue();
		assertThat(heir.release()).isTrue();
	}

	/** The holder is told, and what it held goes to whoever waits for it. */
	private void holdForTooLong() {
		Claim claim = any(anyResource());
		Acquirable next = rivalOf(claim).orElse(null);
		if (next == null || this.model.isShared(claim) || !this.model.isFree(claim)) {
			return;
		}
		// Of which a holder is given as much time as others have to wait for it.
		boolean lockDelay = claim.own() == null && this.random.nextBoolean();
		say(claim.instance() + " holds " + text(claim) + " for too long" + (lockDelay ? ", and gives it up" : ""));
		LockHandle handle = lock(claim, (options) -> (lockDelay ? options.lockDelay(LONG) : options)
			.maxHold(Duration.ofMillis(1 + this.random.nextInt(10)))).acquire(LONG);
		assertThat(this.model.acquired(claim, handle.fencingToken())).isTrue();
		CompletableFuture<LockHandle> waiting = this.random.nextBoolean() ? next.acquireAsync(LONG) : null;
		CompletableFuture<LockLostReason> told = new CompletableFuture<>();
		handle.onLost(told::complete);
		assertThat(told.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join())
			.isEqualTo(LockLostReason.MAX_HOLD_EXCEEDED);
		assertThat(handle.isHeld()).isFalse();
		if (lockDelay) {
			assertThat(inVain(next)).isEmpty();
			assertThat(handle.release()).isFalse();
		}
		LockHandle heir = (waiting != null) ? waiting.join() : next.acquire(LONG);
		assertThat(this.model.acquired(claim, heir.fencingToken())).isTrue();
		assertThat(handle.release()).isFalse();
		assertThat(heir.release()).isTrue();
	}

	/** Somebody who cannot have something while another claim to it is held. */
	private Optional<Acquirable> rivalOf(Claim claim) {
		Resource resource = (claim.resource() == Resource.READ) ? Resource.WRITE : claim.resource();
		Claim rival = new Claim(this.random.nextInt(INSTANCES), resource, null);
		boolean only = resource != Resource.PERMIT && !this.model.isKeptOut(rival)
				&& this.model.isFree(new Claim(rival.instance(), resource, claim.own()));
		return only ? Optional.of(lock(rival, (options) -> options)) : Optional.empty();
	}

	private static boolean isShareable(Held it) {
		return it.claim().own() != null && it.resource().isSingle() && !it.keepsClosed();
	}

	/** Who shares a session shares what it holds: the first to release it ends both. */
	private void claimAgain(Held it) {
		Claim again = new Claim((it.instance() + 1) % INSTANCES, it.resource(), it.claim().own());
		say(again.instance() + " claims " + text(again) + " of " + it.instance());
		LockHandle handle = PatientClient
			.answered(() -> lock(again, (options) -> options).tryAcquire(Duration.ZERO).orElseThrow());
		assertThat(this.model.acquired(again, handle.fencingToken())).isTrue();
		if (this.random.nextBoolean()) {
			assertThat(handle.release()).isTrue();
			release(it, false);
		}
		else {
			release(it, true);
			assertThat(handle.release()).isFalse();
		}
	}

	private void release(Held it, boolean expected) {
		say(it.instance() + " releases " + text(it.claim()) + (expected ? "" : ", which it has lost"));
		boolean lost = !it.handle().isHeld();
		boolean released = it.handle().release();
		if (expected || lost || !it.keepsClosed()) {
			assertThat(released).isEqualTo(expected);
		}
		assertThat(it.handle().release()).isEqualTo(released);
		assertThat(it.handle().isHeld()).isFalse();
		this.model.released(it, released && it.keepsClosed());
	}

	private void guardedPut(Held it) {
		String value = "value " + ++this.puts;
		say(it.instance() + " puts under " + text(it.claim()));
		it.handle().guardedPut("data/" + this.prefix + "x", value);
		assertThat(this.observer.read("data/" + this.prefix + "x", LONG).orElseThrow().value()).isEqualTo(value);
	}

	private void lookAtHolders() {
		int instance = this.random.nextInt(INSTANCES);
		ConsulLockRegistry registry = this.registries.get(instance);
		for (Resource resource : List.of(Resource.A, Resource.B, Resource.C, Resource.READ, Resource.WRITE)) {
			ConsulLock lock = (ConsulLock) resource.of(registry);
			// What is left of one that was lost goes in the background.
			await().pollDelay(Duration.ZERO)
				.untilAsserted(
						() -> assertThat(lock.isLocked()).as(resource.name()).isEqualTo(this.model.isLocked(resource)));
		}
		await().pollDelay(Duration.ZERO)
			.untilAsserted(() -> assertThat(registry.semaphore("s", 2).holders()).hasSize(this.model.permits()));
		assertThat(registry.heldLocks())
			.hasSize((int) this.model.held.stream().filter((it) -> it.instance() == instance).count());
	}

	private void destroy() {
		Resource resource = anyResource();
		Acquirable lock = resource.of(this.registries.get(this.random.nextInt(INSTANCES)));
		boolean inUse = this.model.isInUse(resource);
		say("destroy " + resource + (inUse ? ", in vain" : ""));
		if (inUse) {
			assertThatExceptionOfType(LockInUseException.class).isThrownBy(() -> destroy(lock));
		}
		else {
			destroyWhenLeft(lock);
		}
	}

	/** Who has just left may still be on its way out of the queue. */
	private void destroyWhenLeft(Acquirable lock) {
		await().pollDelay(Duration.ZERO)
			.ignoreExceptionsInstanceOf(LockInUseException.class)
			.until(() -> destroy(lock));
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
			if (this.model.isFree(new Claim(0, Resource.WRITE, null))
					&& String.valueOf(ex.getMessage()).contains("session has ended")) {
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
		if (entry != null) {
			say("write to " + entry.key());
			this.observer.transact(
					List.of(KvOperation.set(entry.key(),
							it.resource().isPlain() ? "note " + ++this.puts : " " + entry.value(), entry.flags())),
					LONG);
		}
	}

	private void deleteEntry(Held it) {
		KvEntry entry = entry(it.resource());
		List<String> lost = (entry == null) ? List.of()
				: it.resource()
					.keys()
					.stream()
					.filter((key) -> (entry.key() + "/").startsWith(this.prefix + key + "/"))
					.toList();
		// What becomes of those who are not told, and leave entries of other keys behind,
		// nothing is promised of.
		boolean unclear = !it.resource().isPlain() && this.model.holds()
			.anyMatch((other) -> other.keepsClosed() && other.resource().keys().equals(it.resource().keys()));
		if (lost.isEmpty() || unclear) {
			return;
		}
		say("delete " + entry.key());
		this.observer.transact(List.of(KvOperation.delete(entry.key())), LONG);
		losers((other) -> other.resource().keys().stream().anyMatch(lost::contains));
		this.model.deleted(lost);
	}

	private void endSession(Held it) {
		say("end the session of " + it.instance() + " " + text(it.claim()));
		endSession(it.session());
	}

	private void endSession(String session) {
		this.observer.destroySession(session);
		losers((other) -> other.session().equals(session));
		this.model.ended(session);
		this.ownSessions.ended(session);
	}

	private void losers(Predicate<Held> condition) {
		for (Held it : this.model.held.stream().filter(condition).toList()) {
			if (this.random.nextInt(20) == 0) {
				// Noticed by itself, in time.
				await().pollDelay(Duration.ZERO).until(() -> !it.handle().isHeld());
			}
			else if (this.random.nextInt(20) == 0) {
				assertThatExceptionOfType(LockLostException.class)
					.isThrownBy(() -> it.handle().guardedPut("data/" + this.prefix + "y", "never"));
			}
			release(it, false);
			awaitNothingLeft(it);
		}
		assertThat(this.observer.read("data/" + this.prefix + "y", LONG)).isEmpty();
	}

	/**
	 * What is left of a session of the test's own goes in the background, and with it
	 * what another instance claims of it meanwhile.
	 */
	private void awaitNothingLeft(Held it) {
		if (it.claim().own() != null && it.resource().isPlain() && !it.keepsClosed()) {
			await().pollDelay(Duration.ZERO)
				.until(() -> it.resource()
					.keys()
					.stream()
					.map((key) -> this.observer.read(this.prefix + key, LONG))
					.flatMap(Optional::stream)
					.noneMatch((entry) -> it.session().equals(entry.session())));
		}
	}

	/** Whoever holds anything gives it up when it is told, afterwards, or never. */
	private void restart() {
		int instance = this.random.nextInt(INSTANCES);
		List<Held> losers = this.model.held.stream().filter((it) -> it.instance() == instance).toList();
		Set<String> own = Set.copyOf(this.model.holds()
			.filter((it) -> it.instance() == instance && it.claim().own() != null)
			.map(Held::session)
			.toList());
		boolean listening = this.random.nextBoolean()
				|| this.model.kept.stream().anyMatch((it) -> own.contains(it.hold().session()));
		say("restart " + instance + (listening ? ", whose holders listen" : ""));
		if (listening) {
			losers.forEach((it) -> it.handle().onLost((reason) -> it.handle().release()));
		}
		long start = System.nanoTime();
		this.registries.get(instance).close();
		boolean settled = System.nanoTime() - start < CLOSING.toNanos();
		for (Held it : losers) {
			if (!listening && own.contains(it.session()) && it.resource().isPlain() && this.random.nextBoolean()) {
				say(it.instance() + " leaves " + text(it.claim()) + " behind");
				this.model.leftBehind(it);
			}
			else {
				release(it, false);
			}
		}
		this.model.restarted(instance);
		this.registries.set(instance, newRegistry());
		if (listening && !settled) {
			own.forEach(this::endSession);
		}
	}

	void end() {
		while (!this.model.held.isEmpty()) {
			release(this.model.held.get(0), true);
		}
		while (!this.model.kept.isEmpty()) {
			endSession(this.model.kept.get(0).hold());
		}
		for (String session : this.ownSessions.present()) {
			assertThat(this.observer.renewSession(session)).isInstanceOf(RenewalOutcome.Renewed.class);
			endSession(session);
		}
		for (Resource resource : Resource.values()) {
			destroyWhenLeft(resource.of(this.registries.get(0)));
		}
		for (ConsulLockRegistry registry : this.registries) {
			await().pollDelay(Duration.ZERO).until(() -> ((DefaultLockRegistry) registry).trackedKeys() == 0);
			registry.close();
		}
		this.observer.transact(List.of(KvOperation.delete("data/" + this.prefix + "x")), LONG);
		assertThat(this.observer.list(this.prefix)).extracting(KvEntry::key).isEmpty();
		assertThat(this.ownSessions.meddling()).isEmpty();
	}

	void stop() {
		this.registries.forEach(ConsulLockRegistry::close);
		this.open.forEach(ConsulClient::close);
		this.ownSessions.destroyAll();
		this.observer.close();
	}

}
