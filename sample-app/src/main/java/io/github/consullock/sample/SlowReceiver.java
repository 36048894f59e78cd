package io.github.consullock.sample;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * Receives webhooks, taking its time, and keeps the last {@value #HISTORY} calls. It
 * notices at once when a caller closes the connection, and whether two call it at the
 * same time.
 */
class SlowReceiver {

	static final int HISTORY = 100;

	/**
	 * Only a write tells that the other side has closed a connection, so the answer is
	 * written all the time.
	 */
	private static final Duration TICK = Duration.ofMillis(20);

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<Long, ReceiverCall> calls = new LinkedHashMap<>();

	private long lastId;

	/**
	 * Takes a webhook.
	 * @param receiver the name under which it is received
	 * @param caller the instance that calls, as it says itself
	 * @param fencingToken the token it brought along, if any
	 * @param duration how long to take
	 * @param answer where the answer is written to
	 * @return whether it was taken; if not, the caller has closed the connection
	 * @throws InterruptedException if the thread is interrupted
	 */
	boolean receive(String receiver, @Nullable String caller, @Nullable Long fencingToken, Duration duration,
			OutputStream answer) throws InterruptedException {
		long start = System.nanoTime();
		long id = begin(receiver, caller, fencingToken);
		ReceiverCall.State end = ReceiverCall.State.ABORTED;
		try {
			while (System.nanoTime() - start < duration.toNanos()) {
				answer.write('.');
				answer.flush();
				Thread.sleep(TICK.toMillis());
			}
			end = ReceiverCall.State.RECEIVED;
			return true;
		}
		catch (IOException ex) {
			return false;
		}
		finally {
			// Before the answer is complete: the next call may begin right after that.
			end(id, end);
		}
	}

	private long begin(String receiver, @Nullable String caller, @Nullable Long fencingToken) {
		this.lock.lock();
		try {
			boolean overlapping = this.calls.values()
				.stream()
				.anyMatch(
						(other) -> other.receiver().equals(receiver) && other.state() == ReceiverCall.State.RECEIVING);
			this.calls.put(++this.lastId,
					new ReceiverCall(receiver, caller, fencingToken, ReceiverCall.State.RECEIVING, overlapping));
			return this.lastId;
		}
		finally {
			this.lock.unlock();
		}
	}

	private void end(long id, ReceiverCall.State state) {
		this.lock.lock();
		try {
			this.calls.computeIfPresent(id, (key, call) -> call.ended(state));
			if (this.calls.size() > HISTORY) {
				this.calls.entrySet()
					.stream()
					.filter((call) -> call.getValue().state() != ReceiverCall.State.RECEIVING)
					.findFirst()
					.ifPresent((oldest) -> this.calls.remove(oldest.getKey()));
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * The calls under way, and the last that ended.
	 * @return the calls, in the order of their beginnings
	 */
	List<ReceiverCall> calls() {
		this.lock.lock();
		try {
			return new ArrayList<>(this.calls.values());
		}
		finally {
			this.lock.unlock();
		}
	}

}
