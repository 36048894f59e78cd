package io.github.consullock.webflux;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;

import org.junit.jupiter.api.Assumptions;
import reactor.blockhound.BlockHound;
import reactor.blockhound.BlockingOperationError;

/**
 * The calls by which threads block that must not, such as those of an event loop. They
 * are noted, and not refused: an error could be lost on its way.
 */
final class BlockingCalls {

	private static final Queue<BlockingOperationError> CALLS = new ConcurrentLinkedQueue<>();

	private BlockingCalls() {
	}

	/**
	 * Has them noted from now on, for as long as this JVM lives. Skips the test if this
	 * JVM does not let BlockHound change its classes.
	 */
	static void note() {
		try {
			BlockHound.install((builder) -> builder
				// Of sockets, BlockHound knows the connecting alone.
				.markAsBlocking("sun.nio.ch.SocketChannelImpl", "blockingRead", "([BIIJ)I")
				.markAsBlocking("sun.nio.ch.NioSocketImpl", "read", "([BII)I")
				// A critical section lasts for a moment. What waits for anything else
				// within one is found by itself.
				.allowBlockingCallsInside(ReentrantLock.class.getName(), "lock")
				// As the loading of classes.
				.allowBlockingCallsInside("java.util.ServiceLoader$LazyClassPathLookupIterator", "parse")
				.blockingMethodCallback((method) -> CALLS.add(new BlockingOperationError(method))));
		}
		catch (RuntimeException | Error ex) {
			Assumptions.abort("BlockHound cannot be installed in Java " + Runtime.version() + ": " + ex);
		}
	}

	/** Those since this was asked before, each with its thread and stack. */
	static List<String> take() {
		List<BlockingOperationError> taken = List.copyOf(CALLS);
		CALLS.removeAll(taken);
		return taken.stream().map(BlockingCalls::describe).toList();
	}

	private static String describe(BlockingOperationError call) {
		StringWriter text = new StringWriter();
		call.printStackTrace(new PrintWriter(text));
		return text.toString();
	}

}
