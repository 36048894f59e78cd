package io.github.consullock.test;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.LockLostReason;
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
		this.reason = reason;
		// After what the holder itself has to do then.
		handle.onLost(this.told::complete);
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
		String other = this.client.createSession(OTHER_SESSION);
		try {
			return await(inflict(other), TOLD_TIMEOUT);
		}
		finally {
			this.client.destroySession(other);
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
		return this.client.read(this.key, REQUEST_TIMEOUT).isPresent() && this.handle.isHeld();
	}

	/**
	 * Does in Consul what leads to the loss. Each change is bound to the entry of this
	 * hold, so that it cannot hit the next one.
	 * @return false if there was no such entry, or it was held no more
	 */
	private boolean inflict(@Nullable String other) {
		while (true) {
			KvEntry entry = this.client.read(this.key, REQUEST_TIMEOUT).orElse(null);
			if (entry == null || entry.session() == null || !this.handle.isHeld()) {
				return false;
			}
			if (this.reason == LockLostReason.SESSION_INVALIDATED) {
				this.client.destroySession(entry.session());
				return true;
			}
			KvOperation unchanged = KvOperation.checkIndex(this.key, entry.modifyIndex());
			KvOperation delete = KvOperation.delete(this.key);
			List<KvOperation> operations = (other != null)
					? List.of(unchanged, delete, KvOperation.lock(this.key, other, OTHER_SESSION.name(), entry.flags()))
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
