package io.github.consullock.session;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * A thread each for requests, alarms and the watch. All are platform threads: a renewal
 * must not wait for a carrier that others keep busy. They end after a minute without a
 * session.
 */
final class RealKeeperThreads implements KeeperThreads {

	private final ScheduledThreadPoolExecutor requests = executor("consul-lock-renewal");

	private final ScheduledThreadPoolExecutor alarms = executor("consul-lock-deadline");

	private final ScheduledThreadPoolExecutor watches = executor("consul-lock-session-watch");

	private static ScheduledThreadPoolExecutor executor(String name) {
		ThreadFactory threads = (task) -> {
			Thread thread = new Thread(task, name);
			thread.setDaemon(true);
			return thread;
		};
		ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, threads);
		executor.setRemoveOnCancelPolicy(true);
		executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		executor.setKeepAliveTime(1, TimeUnit.MINUTES);
		executor.allowCoreThreadTimeOut(true);
		return executor;
	}

	@Override
	public long nanoTime() {
		return System.nanoTime();
	}

	@Override
	public Task request(Duration delay, Runnable task) {
		return schedule(this.requests, delay, task, false);
	}

	@Override
	public Task alarm(Duration delay, Runnable task) {
		return schedule(this.alarms, delay, task, false);
	}

	@Override
	public Task watch(Duration delay, Runnable task) {
		return schedule(this.watches, delay, task, true);
	}

	private static Task schedule(ScheduledThreadPoolExecutor executor, Duration delay, Runnable task,
			boolean interrupt) {
		var future = executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
		return () -> future.cancel(interrupt);
	}

	@Override
	public void shutdown() {
		this.alarms.shutdownNow();
		this.watches.shutdownNow();
		this.requests.shutdown();
		try {
			if (!this.requests.awaitTermination(5, TimeUnit.SECONDS)) {
				this.requests.shutdownNow();
				// What it was interrupted in may leave something to clean up.
				this.requests.awaitTermination(1, TimeUnit.SECONDS);
			}
		}
		catch (InterruptedException ex) {
			this.requests.shutdownNow();
			Thread.currentThread().interrupt();
		}
	}

}
