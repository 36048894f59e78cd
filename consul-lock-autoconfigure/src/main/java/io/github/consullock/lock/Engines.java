package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

	private static final class Used {

		private final LockEngine engine;

		private int users;

		private long idleSince = System.nanoTime();

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

	private final Map<EngineSpec, Used> engines = new HashMap<>();

	private boolean closed;

	/**
	 * Creates a collection without engines.
	 * @param lasting of the engine that is never given up
	 * @param idle after how much time without use the others are
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
				used.idleSince = System.nanoTime();
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
			this.background.executeLater(() -> retireIfIdle(spec), this.idle);
		}
		return new Used(engine);
	}

	private void retireIfIdle(EngineSpec spec) {
		LockEngine retired = null;
		this.lock.lock();
		try {
			Used used = this.engines.get(spec);
			if (used == null || this.closed) {
				return;
			}
			if (used.users > 0 || !used.engine.isIdle()) {
				used.idleSince = System.nanoTime();
			}
			else if (System.nanoTime() - used.idleSince >= this.idle.toNanos()) {
				this.engines.remove(spec);
				retired = used.engine;
			}
		}
		finally {
			this.lock.unlock();
		}
		if (retired != null) {
			retired.close(Duration.ZERO);
		}
		else {
			this.background.executeLater(() -> retireIfIdle(spec), this.idle);
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
	 * Closes all engines, side by side. Goes through interrupts.
	 * @return whether the thread was interrupted; its flag is cleared
	 */
	boolean close(Duration shutdownTimeout) {
		this.lock.lock();
		try {
			this.closed = true;
		}
		finally {
			this.lock.unlock();
		}
		List<LockEngine> all = present().toList();
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
