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
 * or a creation may take time itself: alarms go off meanwhile, further ones of its kind
 * wait. A watch waits until the test says that its answer comes.
 */
final class VirtualKeeperThreads implements KeeperThreads {

	/** The clock overflows within the first minute of each test. */
	private static final long START = Long.MAX_VALUE - Duration.ofSeconds(7).toNanos();

	private final List<Scheduled> scheduled = new ArrayList<>();

	private long elapsed;

	private boolean requesting;

	private boolean creating;

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
		return this.scheduled.stream().filter((task) -> task.time() <= end).filter((task) -> switch (task.lane()) {
			case ALARM -> true;
			case REQUEST -> !this.requesting;
			case CREATION -> !this.creating;
			case WATCH -> false;
		}).min(Comparator.comparingLong(Scheduled::time));
	}

	private void run(Scheduled task) {
		this.scheduled.remove(task);
		boolean wasRequesting = this.requesting;
		boolean wasCreating = this.creating;
		this.requesting |= task.lane() == Lane.REQUEST;
		this.creating |= task.lane() == Lane.CREATION;
		try {
			task.action().run();
		}
		finally {
			this.requesting = wasRequesting;
			this.creating = wasCreating;
		}
	}

	@Override
	public Task creation(Runnable task) {
		return schedule(Lane.CREATION, Duration.ZERO, task);
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

	/** All begin now, and the last to end counts. */
	@Override
	public void sideBySide(List<Runnable> tasks) {
		long begin = this.elapsed;
		long end = begin;
		for (Runnable task : tasks) {
			this.elapsed = begin;
			task.run();
			end = Math.max(end, this.elapsed);
		}
		this.elapsed = end;
	}

	@Override
	public void shutdown() {
		this.shutDown = true;
		this.scheduled.clear();
	}

	enum Lane {

		CREATION, REQUEST, ALARM, WATCH

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
