package io.github.consullock.test;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockOptions;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.consul.KvOperation;
import io.github.consullock.consul.SessionRequest;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.jspecify.annotations.Nullable;

/**
 * The loss of one hold. To be used once, on a thread of its own: that of the holder may
 * be interrupted by it.
 */
final class LockLoss {

	private static final Duration TOLD_TIMEOUT = Duration.ofSeconds(30);

	private static final Duration GRACE = Duration.ofSeconds(3);

	private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);

	/** Leaves nothing behind when it is destroyed, and nothing closed. */
	private static final SessionRequest OTHER_SESSION = new SessionRequest("LockLossSimulator", Duration.ZERO,
			Duration.ZERO, SessionBehavior.DELETE, List.of(), List.of());

	private final InMemoryConsul consul;

	private final ConsulClient client;

	private final LockHandle handle;

	private final String key;

	/** That of the hold itself; of a permit or a side, not the one that all share. */
	private final String entryKey;

	private final LockLostReason reason;

	private final CompletableFuture<LockLostReason> told = new CompletableFuture<>();

	/**
	 * Prepares a loss.
	 * @param consul the Consul that has the lock
	 * @param handle the hold
	 * @param key which of its keys is lost, in full
	 * @param reason why it is lost
	 */
	LockLoss(InMemoryConsul consul, LockHandle handle, String key, LockLostReason reason) {
		this.consul = consul;
		this.client = consul.client();
		this.handle = handle;
		this.key = key;
		this.entryKey = entryKeyOf(key, handle.fencingToken());
		this.reason = reason;
		// After what the holder itself has to do then.
		handle.onLost(this.told::complete);
	}

	private String entryKeyOf(String key, long token) {
		return this.client.list("", REQUEST_TIMEOUT)
			.stream()
			.filter((entry) -> entry.modifyIndex() == token && entry.session() != null)
			.map(KvEntry::key)
			.filter((candidate) -> isMemberOf(key, candidate))
			.findFirst()
			.orElse(key);
	}

	/**
	 * Permits have their entries below the key, the holders of a read-write lock below
	 * the reserved segment.
	 */
	private static boolean isMemberOf(String key, String candidate) {
		return candidate.replace(LockOptions.RESERVED_SEGMENT + "/rw/", "").startsWith(key + "/");
	}

	/**
	 * Has the hold lost, and waits until its holder is told.
	 * @return what kept it from being lost, or empty if it is
	 */
	Optional<String> happen() {
		return switch (this.reason) {
			case KEY_DELETED, SESSION_INVALIDATED -> await(inflict(null), TOLD_TIMEOUT);
			case TAKEN_OVER -> takeOver();
			case DEADLINE_PASSED -> cutOff();
			case MAX_HOLD_EXCEEDED, SHUTDOWN -> throw new IllegalArgumentException("Not by Consul: " + this.reason);
		};
	}

	private Optional<String> takeOver() {
		if (!this.entryKey.equals(this.key)) {
			return takePlace();
		}
		String other = this.client.createSession(OTHER_SESSION);
		try {
			return await(inflict(other), TOLD_TIMEOUT);
		}
		finally {
			this.client.destroySession(other);
		}
	}

	private Optional<String> takePlace() {
		SharedState state = SharedState.of(this.key, this.entryKey);
		try {
			return await(takePlace(state), TOLD_TIMEOUT);
		}
		finally {
			// As if whoever took it had gone.
			this.client.read(state.key(), REQUEST_TIMEOUT)
				.filter((entry) -> state.isEmpty(entry.value()))
				.ifPresent((entry) -> this.client
					.transact(List.of(KvOperation.deleteCas(entry.key(), entry.modifyIndex())), REQUEST_TIMEOUT));
		}
	}

	private boolean takePlace(SharedState state) {
		while (true) {
			KvEntry own = this.client.read(this.entryKey, REQUEST_TIMEOUT).orElse(null);
			KvEntry shared = this.client.read(state.key(), REQUEST_TIMEOUT).orElse(null);
			if (own == null || own.session() == null || shared == null || !this.handle.isHeld()) {
				return false;
			}
			List<KvOperation> operations = List.of(KvOperation.checkIndex(own.key(), own.modifyIndex()),
					KvOperation.checkIndex(shared.key(), shared.modifyIndex()),
					KvOperation.set(shared.key(), state.without(shared.value()), shared.flags()));
			if (this.client.transact(operations, REQUEST_TIMEOUT) instanceof Committed) {
				return true;
			}
		}
	}

	private Optional<String> cutOff() {
		this.consul.beginOutage();
		try {
			return await(isInConsul(), this.handle.remaining().plus(TOLD_TIMEOUT));
		}
		finally {
			this.consul.endOutage();
		}
	}

	private boolean isInConsul() {
		return this.client.read(this.entryKey, REQUEST_TIMEOUT).isPresent() && this.handle.isHeld();
	}

	/**
	 * Does in Consul what leads to the loss. Each change is bound to the entry of this
	 * hold, so that it cannot hit the next one.
	 * @return false if there was no such entry, or it was held no more
	 */
	private boolean inflict(@Nullable String other) {
		while (true) {
			KvEntry entry = this.client.read(this.entryKey, REQUEST_TIMEOUT).orElse(null);
			if (entry == null || entry.session() == null || !this.handle.isHeld()) {
				return false;
			}
			if (this.reason == LockLostReason.SESSION_INVALIDATED) {
				this.client.destroySession(entry.session());
				return true;
			}
			KvOperation unchanged = KvOperation.checkIndex(this.entryKey, entry.modifyIndex());
			KvOperation delete = KvOperation.delete(this.entryKey);
			List<KvOperation> operations = (other != null)
					? List.of(unchanged, delete,
							KvOperation.lock(this.entryKey, other, OTHER_SESSION.name(), entry.flags()))
					: List.of(unchanged, delete);
			if (this.client.transact(operations, REQUEST_TIMEOUT) instanceof Committed) {
				return true;
			}
		}
	}

	private Optional<String> await(boolean inflicted, Duration timeout) {
		LockLostReason actual = this.told.<@Nullable LockLostReason>thenApply((why) -> why)
			.completeOnTimeout(null, (inflicted ? timeout : GRACE).toNanos(), TimeUnit.NANOSECONDS)
			.join();
		return (actual == this.reason) ? Optional.empty() : Optional.of(explain(inflicted, actual));
	}

	private String explain(boolean inflicted, @Nullable LockLostReason actual) {
		if (actual != null) {
			return "The lock '" + this.key + "' was lost for another reason before: " + actual;
		}
		if (!this.handle.isHeld()) {
			return "The lock '" + this.key
					+ "' was released before it was lost: whoever is to lose it must hold it until then";
		}
		return inflicted ? "The holder of '" + this.key + "' was not told of its loss in time" : "The lock '" + this.key
				+ "' is held, but not where @LocalLocks keeps locks. Either its registry was built"
				+ " on another ConsulClient: inject the ConsulClient bean where it is built. Or it is in another"
				+ " datacenter, namespace or partition, where locks cannot be lost";
	}

}
