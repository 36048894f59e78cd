package io.github.consullock.lock;

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

		/** Other JVMs wait this long, and for the release after it. */
		private static final long MAX_NANOS = 1_000_000_000L;

		static Chain begin() {
			return new Chain(System.nanoTime());
		}

		boolean isExhausted() {
			return System.nanoTime() - this.since >= MAX_NANOS;
		}

	}

}
