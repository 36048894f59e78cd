package io.github.consullock;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures for how long the machine kept this process from running. What is promised
 * within a time can only be kept by a process that runs: a test allows for that much
 * more, and for nothing on a machine that has the time.
 */
public final class PauseMeter implements AutoCloseable {

	private static final long TICK = TimeUnit.MILLISECONDS.toNanos(10);

	/** Less is what any machine may take to wake a thread. */
	private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(200);

	private final AtomicLong paused = new AtomicLong();

	private volatile long last = System.nanoTime();

	private volatile boolean closed;

	public PauseMeter() {
		Thread thread = new Thread(this::run, "pause-meter");
		thread.setDaemon(true);
		thread.start();
	}

	private void run() {
		while (!this.closed) {
			LockSupport.parkNanos(TICK);
			long now = System.nanoTime();
			this.paused.addAndGet(pauseUntil(now));
			this.last = now;
		}
	}

	private long pauseUntil(long now) {
		long since = now - this.last;
		return (since > PAUSE) ? since : 0;
	}

	/**
	 * The sum of all pauses so far, one included after which only the caller runs again.
	 */
	public Duration paused() {
		return Duration.ofNanos(this.paused.get() + pauseUntil(System.nanoTime()));
	}

	@Override
	public void close() {
		this.closed = true;
	}

}
