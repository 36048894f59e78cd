package io.github.consullock.session;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

import io.github.consullock.LockLostReason;
import io.github.consullock.consul.LogText;

/**
 * One session in Consul, kept alive by a {@link SessionKeeper}. Safe for use by several
 * threads at once.
 *
 * @since 0.1.0
 */
public final class ConsulSession {

	private final String id;

	private final SessionLease lease;

	private final LongSupplier clock;

	private final boolean borrowed;

	ConsulSession(String id, SessionLease lease, LongSupplier clock, boolean borrowed) {
		this.id = id;
		this.lease = lease;
		this.clock = clock;
		this.borrowed = borrowed;
	}

	/**
	 * The session's id in Consul.
	 */
	public String id() {
		return this.id;
	}

	/**
	 * Whether the session may be relied on now. Asks nothing of Consul.
	 */
	public boolean isLive() {
		return this.lease.isLive(this.clock.getAsLong());
	}

	/**
	 * Whether it may hold keys in Consul for as long as nobody takes them away: while it
	 * is live, and if it is the caller's own, which nobody here destroys, also when it
	 * was out of reach until its deadline.
	 */
	public boolean mayHold() {
		return isLive() || (this.borrowed
				&& this.lease.reason().filter((reason) -> reason == LockLostReason.DEADLINE_PASSED).isPresent());
	}

	/**
	 * The time to the local deadline if no further renewal succeeds; zero once the
	 * session is over.
	 */
	public Duration remaining() {
		return this.lease.remaining(this.clock.getAsLong());
	}

	/**
	 * Why the session is over, or empty while nobody was told that it is.
	 */
	public Optional<LockLostReason> lostReason() {
		return this.lease.reason();
	}

	SessionLease lease() {
		return this.lease;
	}

	/** Without the rest of its id, by which anybody could end it. */
	@Override
	public String toString() {
		return LogText.withoutIds(this.id);
	}

}
