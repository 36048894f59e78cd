package io.github.consullock.session;

import java.time.Duration;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.LogText;
import io.github.consullock.consul.SessionInfo;

/**
 * One session of somebody else, who creates, renews and destroys it: it is only read.
 * <p>
 * How long it will live is unknown, but once it has ended nobody gets its keys before
 * lock-delay is over. So it may be relied on for lock-delay from when it was last seen,
 * and by the same token for no longer than the minute to which Consul limits that.
 */
final class BorrowedSession implements SessionSource {

	/** A shorter lock-delay protects nothing that a slow answer would not break. */
	private static final Duration SHORTEST = Duration.ofSeconds(10);

	private static final Duration LONGEST = Duration.ofSeconds(60);

	private static final Duration PAUSE = SHORTEST.dividedBy(10);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final ConsulClient client;

	private final String id;

	private final Duration margin;

	private final KeeperThreads threads;

	BorrowedSession(ConsulClient client, String id, Duration margin, KeeperThreads threads) {
		if (id.isBlank()) {
			throw new IllegalArgumentException("The id of a session must not be blank");
		}
		if (margin.isNegative() || margin.compareTo(SHORTEST.dividedBy(4)) > 0) {
			throw new IllegalArgumentException("The safety margin of a session of the caller's own must be between 0s "
					+ "and " + SHORTEST.dividedBy(4).toMillis() + "ms, but is " + margin.toMillis() + "ms");
		}
		this.client = client;
		this.id = id;
		this.margin = margin;
		this.threads = threads;
	}

	@Override
	public Found obtain() {
		long sentAt = this.threads.nanoTime();
		SessionInfo info = this.client.sessionInfo(this.id, TIMEOUT)
			.orElseThrow(() -> new ConsulRefusedException("Consul shows no session " + LogText.withoutIds(this.id)
					+ ": either it has ended, and then its id never comes back: create another session, and obtain the"
					+ " lock with that; or the token may not see it: give its policy session_prefix"
					+ " \"<name of the agent's node>\" { policy = \"read\" }"));
		return new Found(this.id, sentAt, new SessionLease(sentAt, span(info.lockDelay()), this.margin), true);
	}

	private static Duration span(Duration lockDelay) {
		if (lockDelay.compareTo(SHORTEST) < 0) {
			return SHORTEST;
		}
		return (lockDelay.compareTo(LONGEST) > 0) ? LONGEST : lockDelay;
	}

	@Override
	public boolean confirm(String id) {
		return this.client.sessionInfo(id, TIMEOUT).isPresent();
	}

	@Override
	public Duration pause() {
		return PAUSE;
	}

	/** It is not ours to destroy. */
	@Override
	public void discard(String id) {
	}

	@Override
	public void finish() {
	}

}
