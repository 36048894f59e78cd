package io.github.consullock.sample;

import org.jspecify.annotations.Nullable;

/**
 * A webhook as its receiver sees it.
 *
 * @param receiver who receives
 * @param caller the instance that delivers, as it says itself
 * @param fencingToken the token it brought along, if any
 * @param state how far it is
 * @param overlapping whether another call to the same receiver was under way when this
 * one came in, which must never be
 */
record ReceiverCall(String receiver, @Nullable String caller, @Nullable Long fencingToken, State state,
		boolean overlapping) {

	/**
	 * How far a call is.
	 */
	enum State {

		/** The receiver takes its time. */
		RECEIVING,

		/** Taken. */
		RECEIVED,

		/** The caller closed the connection before. */
		ABORTED

	}

	ReceiverCall ended(State state) {
		return new ReceiverCall(this.receiver, this.caller, this.fencingToken, state, this.overlapping);
	}

}
