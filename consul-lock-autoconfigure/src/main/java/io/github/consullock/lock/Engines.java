package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The engines of a registry, each made when it is first used: one for the registry's own
 * settings, which lasts, and one for each other combination of settings, which goes when
 * it was idle for a while.
 */
final class Engines {

	/** A session costs a request every TTL/10. */
	static final Duration IDLE = Duration.ofMinutes(1);

	/**
	 * How far an engine is that does not last. What is asked of it, and what that leaves,
	 * is looked at from time to time.
	 */
	private enum State {

		/** Used since the last look, or then. Becomes IDLE. */
		USED,

		/**
		 * Found with nothing in it by the last look. Becomes USED, or RETIRED when the
		 * next look finds the same: one alone may come between the end of a hold and the
		 * beginning of what settles its remains.
		 */
		IDLE,

		/** Given out no more, and closed; forgotten once that is done. */
		RETIRED

	}

	private static final class Used {

		private final LockEngine engine;

		private State state = State.USED;

		private int users;

		Used(LockEngine engine) {
			this.engine = engine;
		}

	}

	private final ConsulLockRegistryBuilder settings;

	private final Background background;

	private final EngineSpec lasting;

	private final Duration idle;

	private final Semaphore watchable;

	/** Guards the fields below. */
	private final ReentrantLock lock = new ReentrantLock();

	/** Those that are given out. */
	private final Map<EngineSpec, Used> engines = new HashMap<>();

	/** Those that are not yet closed. */
	private final Set<LockEngine> retired = new HashSet<>();

	private boolean closed;

	/**
	 * Creates a collection without engines.
	 * @param lasting of the engine that is never given up
	 * @param idle how much time lies between two looks at the others; two in a row that
	 * find no use retire one
	 */
	Engines(ConsulLockRegistryBuilder settings, Background background, EngineSpec lasting, Duration idle) {
		this.idle = idle;
		this.settings = settings;
		this.background = background;
		this.lasting = lasting;
		this.watchable = new Semaphore(settings.maxWatches);
	}

	/**
	 * Uses an engine: it is there for as long as that takes, and for as long as anything
	 * is held by what comes of it.
	 */
	<R, X extends Exception> R use(EngineSpec spec, Use<R, X> use) throws X {
		Used used;
		this.lock.lock();
		try {
			used = this.engines.computeIfAbsent(spec, this::make);
			used.state = State.USED;
			used.users++;
		}
		finally {
			this.lock.unlock();
		}
		try {
			return use.of(used.engine);
		}
		finally {
			this.lock.lock();
			try {
				used.users--;
			}
			finally {
				this.lock.unlock();
			}
		}
	}

	/** Needs the lock. */
	private Used make(EngineSpec spec) {
		boolean lasts = spec.equals(this.lasting);
		LockEngine engine = new LockEngine(spec, lasts, this.settings, this.background, this.watchable);
		if (this.closed) {
			engine.close(Duration.ZERO);
		}
		else if (!lasts) {
			this.background.executeLater(() -> look(spec), this.idle);
		}
		return new Used(engine);
	}

	/**
	 * Looks whether an engine is in use, and retires it if it was not for long enough.
	 */
	void look(EngineSpec spec) {
		LockEngine idle = null;
		this.lock.lock();
		try {
			Used used = this.engines.get(spec);
			if (used == null || this.closed) {
				return;
			}
			used.state = next(used);
			if (used.state == State.RETIRED) {
				this.engines.remove(spec);
				this.retired.add(used.engine);
				idle = used.engine;
			}
		}
		finally {
			this.lock.unlock();
		}
		if (idle != null) {
			closeRetired(idle);
		}
		else {
			this.background.executeLater(() -> look(spec), this.idle);
		}
	}

	private static State next(Used used) {
		if (used.users > 0 || !used.engine.isIdle()) {
			return State.USED;
		}
		return (used.state == State.USED) ? State.IDLE : State.RETIRED;
	}

	private void closeRetired(LockEngine engine) {
		try {
			engine.close(Duration.ZERO);
		}
		finally {
			this.lock.lock();
			try {
				// Not before: whoever closes the registry has to wait for it.
				this.retired.remove(engine);
			}
			finally {
				this.lock.unlock();
			}
		}
	}

	Stream<LockEngine> present() {
		this.lock.lock();
		try {
			return List.copyOf(this.engines.values()).stream().map((used) -> used.engine);
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Closes all engines, side by side, those that are being retired included. Goes
	 * through interrupts.
	 * @return whether the thread was interrupted; its flag is cleared
	 */
	boolean close(Duration shutdownTimeout) {
		List<LockEngine> all = new ArrayList<>();
		this.lock.lock();
		try {
			this.closed = true;
			this.engines.values().forEach((used) -> all.add(used.engine));
			all.addAll(this.retired);
		}
		finally {
			this.lock.unlock();
		}
		List<Thread> helpers = new ArrayList<>();
		for (LockEngine engine : all.subList(Math.min(1, all.size()), all.size())) {
			Thread helper = new Thread(() -> engine.close(shutdownTimeout), "consul-lock-close");
			helper.start();
			helpers.add(helper);
		}
		boolean interrupted = !all.isEmpty() && all.get(0).close(shutdownTimeout);
		for (Thread helper : helpers) {
			interrupted |= join(helper);
		}
		all.forEach(LockEngine::abandon);
		return interrupted;
	}

	private static boolean join(Thread thread) {
		boolean interrupted = false;
		while (true) {
			try {
				thread.join();
				return interrupted;
			}
			catch (InterruptedException ex) {
				interrupted = true;
			}
		}
	}

	/**
	 * What is done with an engine.
	 *
	 * @param <R> what comes of it
	 * @param <X> what it may throw
	 */
	@FunctionalInterface
	interface Use<R, X extends Exception> {

		R of(LockEngine engine) throws X;

	}

}
