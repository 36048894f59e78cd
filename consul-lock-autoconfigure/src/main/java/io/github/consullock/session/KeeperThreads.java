package io.github.consullock.session;

import java.time.Duration;
import java.util.List;

/**
 * Where and when a keeper's work runs. The one place in which it meets threads and the
 * clock, so that tests can drive it with neither.
 */
interface KeeperThreads {

	/**
	 * The time of a monotonic clock, in nanoseconds.
	 */
	long nanoTime();

	/**
	 * What is left of a pause that began when a request was sent, so that the time which
	 * its answer took does not come on top.
	 */
	default Duration since(long sentAt, Duration pause) {
		Duration rest = pause.minusNanos(nanoTime() - sentAt);
		return rest.isNegative() ? Duration.ZERO : rest;
	}

	/**
	 * Runs a task that creates a session, one after another: that may take longer than
	 * renewals can wait.
	 */
	Task creation(Runnable task);

	/**
	 * Runs a task that sends requests, in the order of their times; a few at once where
	 * they have become due together.
	 */
	Task request(Duration delay, Runnable task);

	/**
	 * Runs a task that never blocks, at its time whatever the requests do.
	 */
	Task alarm(Duration delay, Runnable task);

	/**
	 * Runs a task that waits for an answer for most of its life.
	 */
	Task watch(Duration delay, Runnable task);

	/**
	 * Runs tasks at once, after the shutdown too, and returns when all have ended. An
	 * interrupt of this thread meets one of them at most, and is not lost.
	 */
	void sideBySide(List<Runnable> tasks);

	/**
	 * Drops what was to run, interrupts alarms, and waits a few seconds for a request,
	 * creation or watch that runs, then interrupts it, too: watches are to be cancelled
	 * before. What is given to it afterwards is rejected with a
	 * {@link java.util.concurrent.RejectedExecutionException}.
	 */
	void shutdown();

	/**
	 * Something that runs or will run.
	 */
	@FunctionalInterface
	interface Task {

		/**
		 * Drops the task; interrupts a watch that runs. Harmless once it has ended.
		 */
		void cancel();

	}

}
