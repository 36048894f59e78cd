package io.github.consullock.lock;

import java.util.List;
import java.util.function.Consumer;

import io.github.consullock.LockListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All listeners of a registry; the one place that keeps what they throw, errors included,
 * from the locks: whoever tells of a change is in the middle of it.
 */
final class Listeners {

	private static final Logger logger = LoggerFactory.getLogger(Listeners.class);

	private final List<LockListener> listeners;

	Listeners(List<LockListener> listeners) {
		this.listeners = List.copyOf(listeners);
	}

	void tell(Consumer<LockListener> event) {
		for (LockListener listener : this.listeners) {
			try {
				event.accept(listener);
			}
			catch (Throwable ex) {
				logger.warn("The lock listener {} failed", listener, ex);
			}
		}
	}

}
