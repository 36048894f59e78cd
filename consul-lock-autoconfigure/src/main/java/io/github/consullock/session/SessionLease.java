package io.github.consullock.session;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

import io.github.consullock.LockLostReason;
import org.jspecify.annotations.Nullable;

/**
 * Whether a session may still be relied on. Knows neither Consul nor threads: it is told
 * what happened, with the time at which it did, and answers for a given time. Times are
 * those of a monotonic clock, in nanoseconds.
 * <p>
 * The deadline is the time at which the last successful renewal was <em>sent</em>, plus
 * the TTL, less a margin: the server counts from when the renewal reached it, which is
 * later. Past its deadline a lease is over for good: a renewal that succeeds too late
 * does not revive it, since somebody may already have been told that it is over.
 */
final class SessionLease {

	/**
	 * LIVE becomes OVER, once.
	 */
	enum State {

		LIVE, OVER

	}

	private record Status(State state, long deadline, @Nullable LockLostReason reason) {
	}

	private final long span;

	private final AtomicReference<Status> status;

	/**
	 * Starts a lease.
	 * @param sentAt when the renewal that succeeded was sent
	 * @param ttl the session's TTL
	 * @param margin by how much the deadline comes earlier
	 */
	SessionLease(long sentAt, Duration ttl, Duration margin) {
		this.span = ttl.minus(margin).toNanos();
		this.status = new AtomicReference<>(new Status(State.LIVE, sentAt + this.span, null));
	}

	/**
	 * A renewal has succeeded.
	 * @param sentAt when it was sent
	 * @param now when its answer came
	 * @return whether the lease goes on
	 */
	boolean renewed(long sentAt, long now) {
		expire(now);
		Status after = this.status.updateAndGet((current) -> (current.state == State.LIVE)
				? new Status(State.LIVE, later(current.deadline, sentAt + this.span), null) : current);
		return after.state == State.LIVE;
	}

	/**
	 * The session has ended, or may no longer be used.
	 * @param reason why
	 * @return whether this ended the lease; false if it was over before
	 */
	boolean end(LockLostReason reason) {
		Status before = this.status.getAndUpdate((current) -> (current.state == State.LIVE)
				? new Status(State.OVER, current.deadline, reason) : current);
		return before.state == State.LIVE;
	}

	/**
	 * Ends the lease if its deadline has passed.
	 * @param now the present time
	 * @return whether this ended the lease
	 */
	boolean expire(long now) {
		Status before = this.status.getAndUpdate((current) -> (current.state == State.LIVE && isPast(current, now))
				? new Status(State.OVER, current.deadline, LockLostReason.DEADLINE_PASSED) : current);
		return before.state == State.LIVE && isPast(before, now);
	}

	/**
	 * Whether the lease goes on. Who is told that it does not has ended it: no renewal
	 * whose answer came in time, but was handled later, makes that untrue.
	 * @param now the present time
	 */
	boolean isLive(long now) {
		expire(now);
		return status().state == State.LIVE;
	}

	/**
	 * The time to the deadline; zero once over, and final as that.
	 * @param now the present time
	 */
	Duration remaining(long now) {
		expire(now);
		Status current = status();
		return (current.state == State.LIVE) ? Duration.ofNanos(current.deadline - now) : Duration.ZERO;
	}

	/**
	 * Why the lease is over, or empty if it is not.
	 */
	Optional<LockLostReason> reason() {
		return Optional.ofNullable(status().reason);
	}

	private Status status() {
		return Objects.requireNonNull(this.status.get());
	}

	private static boolean isPast(Status status, long now) {
		return now - status.deadline >= 0;
	}

	private static long later(long a, long b) {
		return (a - b >= 0) ? a : b;
	}

}
