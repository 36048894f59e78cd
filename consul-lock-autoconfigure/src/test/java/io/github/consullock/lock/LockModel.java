package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;

/**
 * Who holds what, as far as a {@link RandomWalk} has come.
 */
final class LockModel {

	private static final int PERMITS = 2;

	final List<Held> held = new ArrayList<>();

	/** What others are kept out of, although it was released. */
	final List<Kept> kept = new ArrayList<>();

	/**
	 * The session of the test's own that a process has left holding a key when it ended.
	 */
	final Map<String, String> leftBehind = new HashMap<>();

	private final Map<String, Long> tokens = new HashMap<>();

	/** What can be held: by how many, and beside what else. */
	enum Resource {

		A("a"), B("b"), C("c"), A_AND_B("b", "a"), B_AND_C("b", "c"), ALL("c", "a", "b"), PERMIT("s"), READ("rw"),
		WRITE("rw");

		private final List<String> keys;

		Resource(String... keys) {
			this.keys = List.of(keys);
		}

		/** What is written to once more each time it is acquired, so that tokens rise. */
		List<String> keys() {
			return this.keys;
		}

		Acquirable of(ConsulLockRegistry registry) {
			return of(registry, (options) -> options);
		}

		Acquirable of(ConsulLockRegistry registry, UnaryOperator<LockOptions.Builder> settings) {
			LockOptions options = settings.apply(LockOptions.builder(this.keys)).build();
			return switch (this) {
				case PERMIT -> registry.semaphore(options, PERMITS);
				case READ -> registry.readWriteLock(options).readLock();
				case WRITE -> registry.readWriteLock(options).writeLock();
				default -> registry.obtain(options);
			};
		}

		/** Whether it is a lock of keys, in whose entries nothing but a session tells. */
		boolean isPlain() {
			return ordinal() < PERMIT.ordinal();
		}

		boolean isSingle() {
			return ordinal() <= C.ordinal();
		}

		boolean excludes(Resource other) {
			if (this == PERMIT || (this == READ && other == READ)) {
				return false;
			}
			return this.keys.stream().anyMatch(other.keys::contains);
		}

	}

	/**
	 * Who wants or has something.
	 *
	 * @param instance which one
	 * @param own the session of the test's own that is to hold it, or {@code null} for
	 * that of the instance
	 */
	record Claim(int instance, Resource resource, @Nullable String own) {

		/** Whether they stand in the same lines. */
		boolean isBeside(Claim other) {
			return this.instance == other.instance
					&& ((this.own != null) ? this.own.equals(other.own) : other.own == null);
		}

		/** Whether they hold by one session in two processes, and so do not exclude. */
		boolean isSharedWith(Claim other) {
			return this.own != null && this.own.equals(other.own) && this.instance != other.instance;
		}

	}

	/**
	 * A hold.
	 *
	 * @param keepsClosed whether others are kept out after its release, for as long as
	 * anything lasts
	 */
	record Held(Claim claim, boolean keepsClosed, LockHandle handle) {

		int instance() {
			return this.claim.instance();
		}

		Resource resource() {
			return this.claim.resource();
		}

		String session() {
			return ((Hold) this.handle).session().id();
		}

	}

	/**
	 * A hold that was released before its time.
	 *
	 * @param closed the keys that are closed by it for others; all are for who stands in
	 * the same lines
	 */
	record Kept(Held hold, List<String> closed) {

		boolean isInTheWayOf(Claim claim) {
			Resource resource = this.hold.resource();
			return resource.excludes(claim.resource()) && (this.hold.claim().isBeside(claim)
					|| this.closed.stream().anyMatch(claim.resource().keys()::contains));
		}

	}

	boolean isFree(Claim claim) {
		if (claim.resource() == Resource.PERMIT) {
			return permits() < PERMITS;
		}
		return !isKeptOut(claim) && this.held.stream().noneMatch((it) -> it.resource().excludes(claim.resource()))
				&& claim.resource()
					.keys()
					.stream()
					.map(this.leftBehind::get)
					.allMatch((session) -> session == null || session.equals(claim.own()));
	}

	/** Whether the time of something that was released has to be over first. */
	boolean isKeptOut(Claim claim) {
		return this.kept.stream().anyMatch((it) -> it.isInTheWayOf(claim));
	}

	/**
	 * Whether its session has some of that in another process, and so gets it as well.
	 */
	boolean isShared(Claim claim) {
		return claim.resource().isPlain()
				&& holds().anyMatch((it) -> it.claim().isSharedWith(claim) && it.resource().excludes(claim.resource()));
	}

	/** What is held or kept. */
	Stream<Held> holds() {
		return Stream.concat(this.held.stream(), this.kept.stream().map(Kept::hold));
	}

	int permits() {
		return (int) holds().filter((it) -> it.resource() == Resource.PERMIT).count();
	}

	/** Whether Consul shows a holder of that lock of one key. */
	boolean isLocked(Resource resource) {
		return resource.isPlain() ? isInUse(resource) : holds().anyMatch((it) -> it.resource() == resource);
	}

	/** Whether somebody holds anything of that in Consul. */
	boolean isInUse(Resource resource) {
		return Stream
			.of(this.held.stream().flatMap((it) -> it.resource().keys().stream()),
					this.kept.stream().flatMap((it) -> it.closed().stream()), this.leftBehind.keySet().stream())
			.flatMap((keys) -> keys)
			.anyMatch(resource.keys()::contains);
	}

	/**
	 * It was acquired, or claimed from what a former process has left.
	 * @return whether the token is greater than all before
	 */
	boolean acquired(Claim claim, long token) {
		boolean rises = true;
		for (String key : claim.resource().keys()) {
			Long before = this.tokens.put(key, token);
			rises &= token > ((before != null) ? before : 0);
			this.leftBehind.remove(key);
		}
		return rises;
	}

	/** It was given up: by its holder only, or for everybody. */
	void released(Held hold, boolean closed) {
		this.held.remove(hold);
		if (closed) {
			this.kept.add(new Kept(hold, new ArrayList<>(hold.resource().keys())));
		}
	}

	/** The entries of keys were deleted. */
	void deleted(List<String> keys) {
		this.kept.forEach((it) -> it.closed().removeAll(keys));
	}

	/** A session has ended, and all who held by it were told. */
	void ended(String session) {
		this.kept.removeIf((it) -> it.hold().session().equals(session));
		this.leftBehind.values().removeIf(session::equals);
	}

	/** An instance has ended. */
	void restarted(int instance) {
		this.kept.removeIf((it) -> it.hold().instance() == instance);
	}

	/**
	 * An instance has ended without giving up what it held by a session of the test's.
	 */
	void leftBehind(Held hold) {
		this.held.remove(hold);
		hold.resource().keys().forEach((key) -> this.leftBehind.put(key, hold.session()));
	}

}
