package io.github.consullock.lock;

import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry's own threads: one timer, and as many as there is to do for work and for
 * waiting. Work, such as telling holders of a loss, has platform threads: it must not
 * wait for a carrier that the very bodies to be cancelled keep busy. Waiting has virtual
 * ones where the JVM has them. All end when they have had nothing to do for a while.
 */
final class Background implements Executor, AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Background.class);

	private static final int MAX_STEPS = 16;

	private static final Duration NO_THREAD_PAUSE = Duration.ofSeconds(1);

	/** A timer knows none that is longer, not even {@code LockOptions.FOREVER}. */
	private static final Duration LONGEST_DELAY = Duration.ofNanos(Long.MAX_VALUE);

	private final ExecutorService workers = Executors.newCachedThreadPool(daemons("consul-lock-worker-"));

	private final ExecutorService waiters = waiters();

	private final ThreadPoolExecutor steps = new ThreadPoolExecutor(MAX_STEPS, MAX_STEPS, 10, TimeUnit.SECONDS,
			new LinkedBlockingQueue<>(), daemons("consul-lock-step-"));

	private final ScheduledThreadPoolExecutor timer;

	Background() {
		this.timer = new ScheduledThreadPoolExecutor(1, daemons("consul-lock-timer-"));
		this.steps.allowCoreThreadTimeOut(true);
		this.timer.setRemoveOnCancelPolicy(true);
		this.timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		this.timer.setKeepAliveTime(10, TimeUnit.SECONDS);
		this.timer.allowCoreThreadTimeOut(true);
	}

	/** Runs a task that may block; drops it once closed. */
	@Override
	@SuppressWarnings("FutureReturnValueIgnored") // What fails is logged.
	public void execute(Runnable task) {
		submit(this.workers, task);
	}

	/**
	 * Runs one step of something that waits without a thread: it may make a request, and
	 * does nothing else that blocks. So many at once; the rest waits, since what makes
	 * requests slow is not helped by more of them. Drops it once closed.
	 */
	@SuppressWarnings("FutureReturnValueIgnored") // What fails is logged.
	void step(Runnable task) {
		submit(this.steps, task);
	}

	/**
	 * Runs a task that waits for most of its life; drops it once closed. Cancelling with
	 * interrupt ends it.
	 */
	Future<?> executeWaiting(Runnable task) {
		return submit(this.waiters, task);
	}

	@SuppressWarnings("FutureReturnValueIgnored") // What fails is logged.
	private Future<?> submit(ExecutorService executor, Runnable task) {
		try {
			return executor.submit(() -> {
				try {
					task.run();
				}
				catch (RuntimeException | Error ex) {
					logger.warn("A task in the background failed", ex);
				}
			});
		}
		catch (RejectedExecutionException ex) {
			logger.debug("Closed meanwhile", ex);
			return CompletableFuture.completedFuture(null);
		}
		catch (OutOfMemoryError ex) {
			// No thread to be had. Dropped, the task would leave a lock or a place in a
			// queue behind.
			return schedule(() -> submit(executor, task), NO_THREAD_PAUSE);
		}
	}

	/** Runs a task that may block, after a delay; drops it once closed. */
	@SuppressWarnings("FutureReturnValueIgnored") // What fails is logged.
	void executeLater(Runnable task, Duration delay) {
		schedule(() -> execute(task), delay);
	}

	/** Runs a task that never blocks, after a delay. */
	Future<?> schedule(Runnable task, Duration delay) {
		try {
			long nanos = (delay.compareTo(LONGEST_DELAY) < 0) ? delay.toNanos() : Long.MAX_VALUE;
			return this.timer.schedule(task, nanos, TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			logger.debug("Closed meanwhile", ex);
		}
		catch (OutOfMemoryError ex) {
			// The task is queued; it runs once there is a thread for the timer.
			logger.warn("No thread for the timer: {}", ex.getMessage());
		}
		return CompletableFuture.completedFuture(null);
	}

	/** Whether tasks are dropped. */
	boolean isClosed() {
		return this.workers.isShutdown();
	}

	/** Interrupts all tasks. */
	@Override
	public void close() {
		this.timer.shutdownNow();
		this.steps.shutdownNow();
		this.workers.shutdownNow();
		this.waiters.shutdownNow();
	}

	private static ExecutorService waiters() {
		try {
			// Since Java 21; this is compiled for 17.
			return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
		}
		catch (NoSuchMethodException ex) {
			return Executors.newCachedThreadPool(daemons("consul-lock-waiter-"));
		}
		catch (IllegalAccessException | InvocationTargetException ex) {
			throw new IllegalStateException("Virtual threads cannot be had", ex);
		}
	}

	private static ThreadFactory daemons(String prefix) {
		AtomicLong count = new AtomicLong();
		return (task) -> {
			Thread thread = new Thread(task, prefix + count.incrementAndGet());
			thread.setDaemon(true);
			return thread;
		};
	}

}
