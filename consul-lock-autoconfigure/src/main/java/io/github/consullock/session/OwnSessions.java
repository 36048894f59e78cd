package io.github.consullock.session;

import java.time.Duration;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.LogText;
import io.github.consullock.consul.RenewalOutcome.Renewed;

/**
 * Sessions that are created, renewed every TTL/10, and destroyed.
 */
final class OwnSessions implements SessionSource {

	private final ConsulClient client;

	private final SessionSettings settings;

	private final KeeperThreads threads;

	private final DoomedSessions doomed;

	OwnSessions(ConsulClient client, SessionSettings settings, KeeperThreads threads) {
		this.client = client;
		this.settings = settings;
		this.threads = threads;
		this.doomed = new DoomedSessions(client, threads, settings.ttl());
	}

	@Override
	public Found obtain() {
		String id = this.client.createSession(this.settings.toRequest());
		try {
			long sentAt = this.threads.nanoTime();
			if (!(this.client.renewSession(id) instanceof Renewed renewed)) {
				throw new ConsulUnavailableException(
						"The session " + LogText.withoutIds(id) + " ended right after it was created");
			}
			this.settings.checkTaken(renewed);
			return new Found(id, sentAt, new SessionLease(sentAt, this.settings.ttl(), this.settings.safetyMargin()),
					false);
		}
		catch (RuntimeException | Error ex) {
			discard(id);
			throw ex;
		}
	}

	@Override
	public boolean confirm(String id) {
		return this.client.renewSession(id) instanceof Renewed;
	}

	@Override
	public Duration pause() {
		return this.settings.ttl().dividedBy(10);
	}

	@Override
	public void discard(String id) {
		this.doomed.add(id);
	}

	@Override
	public void finish() {
		this.doomed.destroyAll();
	}

}
