package io.github.consullock.testserver;

import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * The one server of a test run.
 */
final class SharedConsulServer {

	private static final ReentrantLock LOCK = new ReentrantLock();

	private static @Nullable ConsulServer server;

	private static boolean keptToTheEnd;

	private SharedConsulServer() {
	}

	static ConsulServer get() {
		LOCK.lock();
		try {
			ConsulServer current = server;
			if (current == null) {
				current = ConsulServer.start();
				server = current;
			}
			return current;
		}
		finally {
			LOCK.unlock();
		}
	}

	/**
	 * The server for an application context. Those are cached until the JVM ends, and
	 * then still want to give back what they hold: from here on the server ends right
	 * after the JVM and not before.
	 * @return the server
	 */
	static ConsulServer getToTheEnd() {
		LOCK.lock();
		try {
			keptToTheEnd = true;
			return get();
		}
		finally {
			LOCK.unlock();
		}
	}

	static void closeUnlessKept() {
		LOCK.lock();
		try {
			ConsulServer current = server;
			if (current != null && !keptToTheEnd) {
				server = null;
				current.close();
			}
		}
		finally {
			LOCK.unlock();
		}
	}

}
