package io.github.consullock.lock;

import java.util.List;
import java.util.function.Consumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.github.consullock.LockListener;

/**
 * All listeners of a registry; the one place that keeps their exceptions from the locks.
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
			catch (RuntimeException | LinkageError ex) {
				logger.warn("The lock listener {} failed", listener, ex);
			}
		}
	}

}
