package io.github.consullock.annotation;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.system.JavaVersion;
import org.springframework.core.task.SimpleAsyncTaskExecutor;

/**
 * Threads for what must not keep a caller waiting. Each lives for one task; virtual where
 * the JVM has them.
 */
final class CallThreads {

	private static final SimpleAsyncTaskExecutor THREADS = new SimpleAsyncTaskExecutor("consul-lock-call-");

	static {
		THREADS.setDaemon(true);
		if (JavaVersion.getJavaVersion().isEqualOrNewerThan(JavaVersion.TWENTY_ONE)) {
			THREADS.setVirtualThreads(true);
		}
	}

	private CallThreads() {
	}

	/**
	 * Does something when a future completes, but never on the calling thread, also if it
	 * is complete already: that one may not block.
	 * @param <T> what the future gives
	 * @param future the future
	 * @param action takes the result or the failure, which is no
	 * {@code CompletionException}
	 */
	static <T> void whenComplete(CompletableFuture<T> future, BiConsumer<@Nullable T, @Nullable Throwable> action) {
		Thread caller = Thread.currentThread();
		future.whenComplete((value, failure) -> {
			Runnable task = () -> action.accept(value, unwrap(failure));
			if (Thread.currentThread() != caller || !execute(task)) {
				task.run();
			}
		});
	}

	/**
	 * Waits for a future that cannot be asked to call back.
	 * @param future the future
	 * @param action takes its result or failure
	 */
	static void await(Future<?> future, BiConsumer<@Nullable Object, @Nullable Throwable> action) {
		Runnable task = () -> {
			Object value = null;
			Throwable failure = null;
			try {
				value = future.get();
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				failure = ex;
			}
			catch (ExecutionException ex) {
				failure = unwrap(ex);
			}
			catch (RuntimeException | Error ex) {
				failure = ex;
			}
			action.accept(value, failure);
		};
		if (future.isDone() || !execute(task)) {
			task.run();
		}
	}

	/**
	 * Does something that may block, for a caller that may not.
	 * @param <T> what it gives
	 * @param action what to do
	 * @return its result or failure
	 */
	static <T> CompletableFuture<T> supply(Supplier<T> action) {
		return CompletableFuture.supplyAsync(action, (task) -> {
			if (!execute(task)) {
				task.run();
			}
		});
	}

	static @Nullable Throwable unwrap(@Nullable Throwable failure) {
		Throwable cause = (failure instanceof CompletionException || failure instanceof ExecutionException)
				? failure.getCause() : null;
		return (cause != null) ? cause : failure;
	}

	/** Whether there is a thread for it: without one, late is better than never. */
	private static boolean execute(Runnable task) {
		try {
			THREADS.execute(task);
			return true;
		}
		catch (OutOfMemoryError ex) {
			return false;
		}
	}

}
