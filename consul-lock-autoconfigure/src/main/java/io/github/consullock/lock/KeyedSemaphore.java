package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;

import io.github.consullock.LockHolder;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.lock.Acquisition.Acquired;

/**
 * The semaphore of a key.
 */
final class KeyedSemaphore extends LockDoor implements ConsulSemaphore {

	private final int limit;

	KeyedSemaphore(Engines engines, EngineSpec spec, ConsulClient client, LockRequest request, int limit) {
		super(engines, spec, client, request);
		this.limit = limit;
	}

	@Override
	public int limit() {
		return this.limit;
	}

	@Override
	public List<LockHolder> holders() {
		return readHolders();
	}

	@Override
	public void destroy() {
		SemaphoreEntries now = (SemaphoreEntries) read();
		if (now.hasDead() && now.holders().isEmpty()) {
			removeDead(now.present());
		}
		super.destroy();
	}

	/** As everybody who acquires does it, which only a session can. */
	private void removeDead(SemaphoreLock present) {
		LockRequest once = new LockRequest(present, request().value(), true, Duration.ZERO, false, Duration.ZERO, null);
		try {
			if (acquire(once) instanceof Acquired acquired) {
				acquired.hold().close();
			}
		}
		catch (InterruptedException ex) {
			throw interrupted(ex);
		}
	}

}
