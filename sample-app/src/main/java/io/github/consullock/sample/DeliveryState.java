package io.github.consullock.sample;

/**
 * How far a delivery is.
 */
enum DeliveryState {

	/** Another one to the same receiver is under way, on whatever instance. */
	WAITING,

	/** This instance has the lock, and the receiver is being called. */
	DELIVERING,

	/** The receiver has taken it. */
	DELIVERED,

	/** The lock was lost, and the call aborted: whether the receiver took it is open. */
	CANCELLED,

	/** Nothing was delivered, or the receiver refused. */
	FAILED

}
