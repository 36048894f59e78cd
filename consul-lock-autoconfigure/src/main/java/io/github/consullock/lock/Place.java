package io.github.consullock.lock;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import io.github.consullock.LockException;
import io.github.consullock.session.SessionKeeper;
import org.jspecify.annotations.Nullable;

/**
 * What one call, and then its hold, occupies in this JVM: the heads of its lines, and the
 * session that holds nothing else, where the lock needs one. Both are left once, whoever
 * does it. Safe for use by several threads, one after the other.
 */
final class Place {

	private final LocalQueues queues;

	private final Sessions sessions;

	private final LockKind kind;

	private final List<String> lines = new ArrayList<>(1);

	private final AtomicBoolean linesLeft = new AtomicBoolean();

	private final AtomicBoolean left = new AtomicBoolean();

	private final AtomicBoolean settled = new AtomicBoolean();

	private @Nullable SessionKeeper keeper;

	Place(LockKind kind, LocalQueues queues, Sessions sessions) {
		this.kind = kind;
		this.queues = queues;
		this.sessions = sessions;
	}

	/** At the head of a line from now on. */
	void own(String line) {
		this.lines.add(line);
	}

	/** Keeps the session that is to hold the lock. */
	SessionKeeper keeper() {
		if (this.keeper == null) {
			this.keeper = this.sessions.keeper(this.kind);
		}
		return this.keeper;
	}

	/** What keeps Consul from answering, for those behind it to know; null if nothing. */
	void trouble(@Nullable LockException trouble) {
		this.lines.forEach((line) -> this.queues.trouble(line, trouble));
	}

	/**
	 * Whether there is something to settle, and nobody does. What is settled once it is
	 * left, or twice, might already be the next one's.
	 */
	boolean beginSettlement() {
		return !this.left.get() && this.settled.compareAndSet(false, true);
	}

	/** Nobody but a settlement is there any more. */
	void settling() {
		if (!this.linesLeft.get()) {
			this.lines.forEach(this.queues::settling);
		}
	}

	/** Somebody else has been made the head of the lines. */
	void linesPassed() {
		this.linesLeft.set(true);
	}

	/**
	 * Leaves the lines.
	 * @param yielding whether other JVMs are to have the first try
	 */
	void leaveLines(boolean yielding) {
		if (this.linesLeft.compareAndSet(false, true)) {
			this.lines.forEach((line) -> this.queues.leave(line, yielding));
		}
	}

	@Override
	public String toString() {
		return this.kind.description();
	}

	/** Leaves all that is not left yet. */
	void leave(boolean yielding) {
		if (this.left.compareAndSet(false, true)) {
			if (this.keeper != null) {
				this.sessions.giveBack(this.kind, this.keeper);
			}
			leaveLines(yielding);
		}
	}

}
