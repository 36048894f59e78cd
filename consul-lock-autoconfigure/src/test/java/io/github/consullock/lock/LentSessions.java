package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.github.consullock.ForwardingClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.consul.SessionInfo;
import io.github.consullock.consul.SessionRequest;

/**
 * Sessions of a test's own, which it lends to registries.
 */
final class LentSessions {

	private static final int COUNT = 2;

	private final ConsulClient owner;

	private final List<String> present = new ArrayList<>();

	private final Set<String> all = ConcurrentHashMap.newKeySet();

	private final Queue<String> meddling = new ConcurrentLinkedQueue<>();

	/**
	 * Creates sessions.
	 * @param owner creates and destroys them
	 */
	LentSessions(ConsulClient owner) {
		this.owner = owner;
		for (int i = 0; i < COUNT; i++) {
			create();
		}
	}

	/** Without lock-delay, as the instances' own. */
	private void create() {
		String session = this.owner.createSession(new SessionRequest("own", Duration.ofHours(1), Duration.ZERO,
				SessionBehavior.RELEASE, List.of(), List.of()));
		this.present.add(session);
		this.all.add(session);
	}

	String any(Random random) {
		return this.present.get(random.nextInt(COUNT));
	}

	List<String> present() {
		return List.copyOf(this.present);
	}

	/**
	 * Makes another in the place of one that has ended; nothing if it was none of these.
	 */
	void ended(String session) {
		if (this.present.remove(session)) {
			create();
		}
	}

	/** What borrowers did to them that is the owner's. */
	List<String> meddling() {
		return List.copyOf(this.meddling);
	}

	void destroyAll() {
		this.present.forEach(this.owner::destroySession);
	}

	/** The way to Consul of one who borrows them. */
	ConsulClient borrower(ConsulClient client) {
		return new Borrower(client);
	}

	private final class Borrower extends ForwardingClient {

		Borrower(ConsulClient client) {
			super(client);
		}

		@Override
		public RenewalOutcome renewSession(String sessionId) {
			note("renewed", sessionId);
			return super.renewSession(sessionId);
		}

		@Override
		public void destroySession(String sessionId) {
			note("destroyed", sessionId);
			super.destroySession(sessionId);
		}

		private void note(String what, String session) {
			if (LentSessions.this.all.contains(session)) {
				LentSessions.this.meddling.add(what + " " + session);
			}
		}

		/**
		 * With more lock-delay than they have, so that they are relied on for longer than
		 * a busy machine pauses.
		 */
		@Override
		public Optional<SessionInfo> sessionInfo(String sessionId, Duration timeout) {
			return super.sessionInfo(sessionId, timeout).map((info) -> new SessionInfo(info.id(), info.name(),
					info.ttl(), Duration.ofMinutes(1), info.behavior()));
		}

	}

}
