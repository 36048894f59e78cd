package io.github.consullock.consul;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

import org.awaitility.Awaitility;

/**
 * Threads of each kind that the JVM has.
 */
final class TestThreads {

	private TestThreads() {
	}

	static List<Kind> kinds() {
		List<Kind> kinds = new ArrayList<>();
		kinds.add(new Kind("platform", (task) -> {
			Thread thread = new Thread(task);
			thread.start();
			return thread;
		}));
		try {
			// From Java 21 on.
			var starter = Thread.class.getMethod("startVirtualThread", Runnable.class);
			kinds.add(new Kind("virtual", (task) -> {
				try {
					return (Thread) starter.invoke(null, task);
				}
				catch (ReflectiveOperationException ex) {
					throw new IllegalStateException(ex);
				}
			}));
		}
		catch (NoSuchMethodException ex) {
			// This JVM has none.
		}
		return kinds;
	}

	/**
	 * Waits until a thread waits for something: for the network, for a connection, for a
	 * condition.
	 */
	static void awaitBlocked(Thread thread) {
		Awaitility.await().until(() -> {
			for (StackTraceElement frame : thread.getStackTrace()) {
				String method = frame.getMethodName();
				if ("park".equals(method) || "parkNanos".equals(method) || "poll".equals(method)) {
					return true;
				}
			}
			return false;
		});
	}

	/**
	 * Starts threads of a kind.
	 */
	record Kind(String name, Function<Runnable, Thread> starter) {

		Thread start(Runnable task) {
			return this.starter.apply(task);
		}

		@Override
		public String toString() {
			return this.name;
		}

	}

}
