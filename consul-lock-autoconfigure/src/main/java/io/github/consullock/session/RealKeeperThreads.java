package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Delayed;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A thread each for creations, requests, alarms and watches, and a few more for requests
 * that have become due together. All are platform threads: a renewal must not wait for a
 * carrier that others keep busy. Each ends when there was nothing for it for a minute.
 */
final class RealKeeperThreads implements KeeperThreads {

	/**
	 * Where a pool has many sessions and answers are slow, one thread would come round
	 * too late to the last of them. There are connections for as many.
	 */
	private static final int REQUESTS_AT_ONCE = 8;

	private final ScheduledThreadPoolExecutor creations = executor("consul-lock-session");

	private final ScheduledThreadPoolExecutor requests = executor("consul-lock-renewal");

	private final ThreadPoolExecutor furtherRequests = new ThreadPoolExecutor(0, REQUESTS_AT_ONCE - 1, 1,
			TimeUnit.MINUTES, new SynchronousQueue<>(), daemons("consul-lock-renewal"));

	private final ScheduledThreadPoolExecutor alarms = executor("consul-lock-deadline");

	private final ScheduledThreadPoolExecutor watches = executor("consul-lock-session-watch");

	private static ScheduledThreadPoolExecutor executor(String name) {
		ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, daemons(name));
		executor.setRemoveOnCancelPolicy(true);
		executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		executor.setKeepAliveTime(1, TimeUnit.MINUTES);
		executor.allowCoreThreadTimeOut(true);
		return executor;
	}

	private static ThreadFactory daemons(String name) {
		return (task) -> {
			Thread thread = new Thread(task, name);
			thread.setDaemon(true);
			return thread;
		};
	}

	@Override
	public long nanoTime() {
		return System.nanoTime();
	}

	@Override
	public Task creation(Runnable task) {
		return schedule(this.creations, Duration.ZERO, task, false);
	}

	@Override
	public Task request(Duration delay, Runnable task) {
		return schedule(this.requests, delay, () -> begin(task), false);
	}

	/** Leaves it to another thread if the next is due as well. */
	private void begin(Runnable request) {
		boolean more = this.requests.getQueue().peek() instanceof Delayed next
				&& next.getDelay(TimeUnit.NANOSECONDS) <= 0;
		if (!more || !leave(request)) {
			request.run();
		}
	}

	private boolean leave(Runnable request) {
		try {
			this.furtherRequests.execute(request);
			return true;
		}
		catch (RejectedExecutionException | OutOfMemoryError ex) {
			// All are busy, or there is no thread to be had.
			return false;
		}
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
	public void sideBySide(List<Runnable> tasks) {
		Queue<Runnable> here = new ArrayDeque<>();
		List<Thread> threads = new ArrayList<>();
		for (Runnable task : tasks) {
			// The first has this thread.
			if (here.isEmpty() || !start(task, threads)) {
				here.add(task);
			}
		}
		boolean interrupted = false;
		for (Runnable task : here) {
			task.run();
			interrupted |= Thread.interrupted();
		}
		for (Thread thread : threads) {
			interrupted |= join(thread);
		}
		if (interrupted) {
			Thread.currentThread().interrupt();
		}
	}

	private static boolean start(Runnable task, List<Thread> threads) {
		Thread thread = new Thread(task, "consul-lock-close");
		thread.setDaemon(true);
		try {
			thread.start();
		}
		catch (OutOfMemoryError ex) {
			// There is no thread to be had.
			return false;
		}
		threads.add(thread);
		return true;
	}

	/** Returns whether this thread was interrupted meanwhile. */
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

	@Override
	public void shutdown() {
		this.alarms.shutdownNow();
		List<ThreadPoolExecutor> others = List.of(this.watches, this.creations, this.requests, this.furtherRequests);
		others.forEach(ThreadPoolExecutor::shutdown);
		try {
			if (!awaitEnd(others, Duration.ofSeconds(5))) {
				others.forEach(ThreadPoolExecutor::shutdownNow);
				// What they were interrupted in may leave something to clean up.
				awaitEnd(others, Duration.ofSeconds(1));
			}
		}
		catch (InterruptedException ex) {
			others.forEach(ThreadPoolExecutor::shutdownNow);
			Thread.currentThread().interrupt();
		}
	}

	private static boolean awaitEnd(List<ThreadPoolExecutor> executors, Duration timeout) throws InterruptedException {
		long end = System.nanoTime() + timeout.toNanos();
		boolean ended = true;
		for (ThreadPoolExecutor executor : executors) {
			ended = ended && executor.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
		}
		return ended;
	}

}
