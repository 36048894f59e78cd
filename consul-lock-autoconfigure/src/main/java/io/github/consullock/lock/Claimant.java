package io.github.consullock.lock;

import io.github.consullock.consul.KvEntry;
import io.github.consullock.session.ConsulSession;
import org.jspecify.annotations.Nullable;

/**
 * One who wants a lock, or holds it, as Consul knows it.
 *
 * @param session the session that holds it, or is to
 * @param id the name of its entry; tells it from others of the same session, where the
 * kind of lock lets one session have several
 * @param value what its entry holds, or is to
 * @param deleteOnRelease whether a release deletes the entry, where that is open
 * @param patient whether it waits, where there is a line in Consul to wait in
 * @param fair whether it lets those go first who have waited before it came
 */
record Claimant(ConsulSession session, String id, String value, boolean deleteOnRelease, boolean patient,
		boolean fair) {

	static Claimant of(ConsulSession session, String id, LockRequest request) {
		return new Claimant(session, id, request.value().get(), request.deleteOnRelease(), !request.waitTime().isZero(),
				request.fair());
	}

	/** The same one, with another value for its entry. */
	Claimant withValue(String other) {
		return new Claimant(this.session, this.id, other, this.deleteOnRelease, this.patient, this.fair);
	}

	/** Whether an entry is held by the session. */
	boolean owns(@Nullable KvEntry entry) {
		return entry != null && this.session.id().equals(entry.session());
	}

}
