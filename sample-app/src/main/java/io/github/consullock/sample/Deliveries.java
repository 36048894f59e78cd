package io.github.consullock.sample;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * What this instance is delivering, and the last {@value #HISTORY} of what it has done.
 */
@Component
class Deliveries {

	static final int HISTORY = 100;

	private static final Logger logger = LoggerFactory.getLogger(Deliveries.class);

	private final ReentrantLock lock = new ReentrantLock();

	private final Set<Progress> underWay = new LinkedHashSet<>();

	private final Deque<Delivery> ended = new ArrayDeque<>();

	private final String instance;

	private final LongSupplier nanoTime;

	private long lastId;

	@Autowired
	Deliveries(SampleProperties properties) {
		this(properties.instance(), System::nanoTime);
	}

	Deliveries(String instance, LongSupplier nanoTime) {
		this.instance = instance;
		this.nanoTime = nanoTime;
	}

	/**
	 * Begins a delivery, which waits for the lock at first.
	 * @param receiver to whom
	 * @return to be told how it goes on
	 */
	Progress begin(String receiver) {
		this.lock.lock();
		try {
			Progress progress = new Progress(++this.lastId, receiver);
			this.underWay.add(progress);
			return progress;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * All that are under way, and those that ended last.
	 * @return the deliveries, in the order of their ends, then of their beginnings
	 */
	List<Delivery> list() {
		this.lock.lock();
		try {
			List<Delivery> all = new ArrayList<>(this.ended);
			this.underWay.forEach((progress) -> all.add(progress.delivery.at(progress.millis())));
			return all;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * A delivery that is under way.
	 */
	final class Progress {

		private final long start = Deliveries.this.nanoTime.getAsLong();

		private Delivery delivery;

		private Progress(long id, String receiver) {
			this.delivery = new Delivery(id, receiver, Deliveries.this.instance, DeliveryState.WAITING, 0, null, null,
					null);
			logger.info("{}", this.delivery);
		}

		/**
		 * The lock is held, the receiver is being called.
		 * @param fencingToken the token of the hold
		 */
		void delivering(long fencingToken) {
			Deliveries.this.lock.lock();
			try {
				this.delivery = this.delivery.delivering(fencingToken, millis());
				logger.info("{}", this.delivery);
			}
			finally {
				Deliveries.this.lock.unlock();
			}
		}

		/**
		 * It has ended.
		 * @param state how
		 * @param detail why, if it did not come to a good end
		 * @return the delivery as it stays in the list
		 */
		Delivery ended(DeliveryState state, @Nullable String detail) {
			Deliveries.this.lock.lock();
			try {
				this.delivery = this.delivery.ended(state, millis(), detail);
				logger.info("{}", this.delivery);
				Deliveries.this.underWay.remove(this);
				Deliveries.this.ended.addLast(this.delivery);
				if (Deliveries.this.ended.size() > HISTORY) {
					Deliveries.this.ended.removeFirst();
				}
				return this.delivery;
			}
			finally {
				Deliveries.this.lock.unlock();
			}
		}

		private long millis() {
			return TimeUnit.NANOSECONDS.toMillis(Deliveries.this.nanoTime.getAsLong() - this.start);
		}

	}

}
