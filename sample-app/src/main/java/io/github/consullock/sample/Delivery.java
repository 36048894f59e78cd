package io.github.consullock.sample;

import org.jspecify.annotations.Nullable;

/**
 * One delivery, as this instance sees it.
 *
 * @param id number of the delivery in this instance, from 1
 * @param receiver to whom
 * @param instance by whom
 * @param state how far it is
 * @param millis how long it took from the arrival of the webhook to its end, or takes by
 * now
 * @param waitedMillis how long it waited for the lock, if it has it or had it
 * @param fencingToken the token of its hold of the lock, if it has it or had it
 * @param detail why it did not come to a good end, if so
 */
record Delivery(long id, String receiver, String instance, DeliveryState state, long millis,
		@Nullable Long waitedMillis, @Nullable Long fencingToken, @Nullable String detail) {

	Delivery delivering(long fencingToken, long millis) {
		return new Delivery(this.id, this.receiver, this.instance, DeliveryState.DELIVERING, millis, millis,
				fencingToken, null);
	}

	Delivery ended(DeliveryState state, long millis, @Nullable String detail) {
		return new Delivery(this.id, this.receiver, this.instance, state, millis, this.waitedMillis, this.fencingToken,
				detail);
	}

	@Override
	public String toString() {
		return "Delivery %d to %s: %s after %d ms%s%s".formatted(this.id, this.receiver, this.state, this.millis,
				(this.fencingToken != null) ? ", fencing token " + this.fencingToken : "",
				(this.detail != null) ? ", " + this.detail : "");
	}

	Delivery at(long millis) {
		return ended(this.state, millis, this.detail);
	}

}
