package io.github.consullock;

import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Lets {@link LockHandle#current()} follow a Reactor context from thread to thread, where
 * Micrometer's context propagation is there and enabled. Found by it; not to be used
 * otherwise.
 * <p>
 * A hold that belongs to a thread, as that of a method which blocks, does not follow: it
 * would be found where it has ended long ago.
 *
 * @since 0.1.0
 */
public final class LockHandleAccessor implements ThreadLocalAccessor<CurrentLockHandle.Scope> {

	@Override
	public Object key() {
		return CurrentLockHandle.CONTEXT_KEY;
	}

	@Override
	public CurrentLockHandle.@Nullable Scope getValue() {
		return CurrentLockHandle.scope();
	}

	@Override
	public void setValue(CurrentLockHandle.Scope value) {
		CurrentLockHandle.restore(value.isForThisThread() ? value : null);
	}

	@Override
	public void setValue() {
		CurrentLockHandle.restore(null);
	}

	@Override
	public void restore(CurrentLockHandle.Scope previousValue) {
		CurrentLockHandle.restore(previousValue);
	}

}
