package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.LockListener;
import io.github.consullock.LockLostReason;

/**
 * Notes the names of what it is told.
 */
final class RecordingListener implements LockListener {

	private final List<String> events;

	RecordingListener(List<String> events) {
		this.events = events;
	}

	@Override
	public void waiting(String key) {
		this.events.add("waiting");
	}

	@Override
	public void acquired(LockHandle handle, Duration waited) {
		this.events.add("acquired");
	}

	@Override
	public void notAcquired(String key, Duration waited) {
		this.events.add("not acquired");
	}

	@Override
	public void lost(LockHandle handle, LockLostReason reason) {
		this.events.add("lost");
	}

	@Override
	public void released(LockHandle handle, Duration held) {
		this.events.add("released");
	}

	@Override
	public void handedOver(LockHandle handle, Duration held) {
		this.events.add("handed over");
	}

}
