package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;

import org.jspecify.annotations.Nullable;

/**
 * Runs a keeper's work on the test's thread and on a clock that the test moves. A request
 * may take time itself: alarms go off meanwhile, further requests wait. A watch waits
 * until the test says that its answer comes.
 */
final class VirtualKeeperThreads implements KeeperThreads {

	/** The clock overflows within the first minute of each test. */
	private static final long START = Long.MAX_VALUE - Duration.ofSeconds(7).toNanos();

	private final List<Scheduled> scheduled = new ArrayList<>();

	private long elapsed;

	private boolean requesting;

	private boolean shutDown;

	private @Nullable Lane withoutThread;

	@Override
	public long nanoTime() {
		return START + this.elapsed;
	}

	/** The time since the test began. */
	Duration elapsed() {
		return Duration.ofNanos(this.elapsed);
	}

	/** Runs what is due now. */
	void runDue() {
		advance(Duration.ZERO);
	}

	/** Lets time pass, and runs what becomes due at its time. */
	void advance(Duration duration) {
		long end = this.elapsed + duration.toNanos();
		Optional<Scheduled> next = next(end);
		while (next.isPresent()) {
			this.elapsed = Math.max(this.elapsed, next.get().time());
			run(next.get());
			next = next(end);
		}
		this.elapsed = Math.max(this.elapsed, end);
	}

	/** Lets time pass as it does for a process that is stopped. */
	void stopProcessFor(Duration duration) {
		this.elapsed += duration.toNanos();
	}

	/** Has no thread for the next task of a kind. */
	void withoutThreadForNext(Lane lane) {
		this.withoutThread = lane;
	}

	/** Lets the answer to the watch come, if it was sent by now. */
	boolean answerWatch() {
		Optional<Scheduled> watch = this.scheduled.stream()
			.filter((task) -> task.lane() == Lane.WATCH && task.time() <= this.elapsed)
			.findFirst();
		watch.ifPresent(this::run);
		return watch.isPresent();
	}

	private Optional<Scheduled> next(long end) {
		return this.scheduled.stream()
			.filter((task) -> task.time() <= end)
			.filter((task) -> task.lane() == Lane.ALARM || (task.lane() == Lane.REQUEST && !this.requesting))
			.min(Comparator.comparingLong(Scheduled::time));
	}

	private void run(Scheduled task) {
		this.scheduled.remove(task);
		boolean outer = this.requesting;
		this.requesting |= task.lane() == Lane.REQUEST;
		try {
			task.action().run();
		}
		finally {
			this.requesting = outer;
		}
	}

	@Override
	public Task request(Duration delay, Runnable task) {
		return schedule(Lane.REQUEST, delay, task);
	}

	@Override
	public Task alarm(Duration delay, Runnable task) {
		return schedule(Lane.ALARM, delay, task);
	}

	@Override
	public Task watch(Duration delay, Runnable task) {
		return schedule(Lane.WATCH, delay, task);
	}

	private Task schedule(Lane lane, Duration delay, Runnable action) {
		if (this.shutDown) {
			throw new RejectedExecutionException("Shut down");
		}
		Scheduled task = new Scheduled(lane, this.elapsed + delay.toNanos(), action);
		this.scheduled.add(task);
		if (lane == this.withoutThread) {
			// As an executor does: the task stays queued.
			this.withoutThread = null;
			throw new InternalError("No thread");
		}
		return () -> this.scheduled.remove(task);
	}

	@Override
	public void shutdown() {
		this.shutDown = true;
		this.scheduled.clear();
	}

	enum Lane {

		REQUEST, ALARM, WATCH

	}

	private record Scheduled(Lane lane, long time, Runnable action) {

		// Each is itself alone, so that the right one is removed.
		@Override
		public boolean equals(Object other) {
			return this == other;
		}

		@Override
		public int hashCode() {
			return System.identityHashCode(this);
		}

	}

}
