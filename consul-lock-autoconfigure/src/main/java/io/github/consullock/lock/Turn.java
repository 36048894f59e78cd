package io.github.consullock.lock;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What a waiter of this JVM gets when its turn has come. From then on it is the only one
 * in this JVM that may talk to Consul about the key, until it leaves the queue.
 */
sealed interface Turn {

	/**
	 * It has to acquire the lock by itself.
	 *
	 * @param yielding whether the lock was just released in the open, for the sake of
	 * other JVMs, which are to have the first try
	 */
	record Head(boolean yielding) implements Turn {
	}

	/**
	 * The lock was handed to it, and is held.
	 *
	 * @param grant as what
	 */
	record HandedOver(Hold.Grant grant) implements Turn {
	}

	/**
	 * How long a lock has moved from holder to holder inside this JVM without ever being
	 * free for others.
	 *
	 * @param since when the first of them acquired it, by the monotonic clock
	 */
	record Chain(long since) {

		/** Those who do not queue up wait this long, and for the release after it. */
		private static final long MAX_NANOS = 1_000_000_000L;

		/** Those who queue up elsewhere wait this long for their turn. */
		private static final long TURN_NANOS = 100_000_000L;

		private static final long MAX_HAND_OVERS = 16;

		/** What the way to the next holder takes, about. */
		private static final long HAND_OVER_NANOS = 2_000_000L;

		static Chain begin() {
			return new Chain(System.nanoTime());
		}

		private long nanos() {
			return System.nanoTime() - this.since;
		}

		/** Whether the lock is to be free once, for those who do not queue up. */
		boolean isExhausted() {
			return nanos() >= MAX_NANOS;
		}

		/**
		 * The same for a lock that goes from JVM to JVM, none of which knows since when:
		 * on the average it is free once in that time, or in so many hand-overs.
		 */
		static boolean isExhaustedBy(Duration hold) {
			long nanos = Math.min(hold.toNanos() + HAND_OVER_NANOS, MAX_NANOS / MAX_HAND_OVERS);
			return ThreadLocalRandom.current().nextLong(MAX_NANOS) < nanos;
		}

		/** Whether those who queue up elsewhere come before those of this JVM. */
		boolean isOthersTurn() {
			return nanos() >= TURN_NANOS;
		}

	}

}
