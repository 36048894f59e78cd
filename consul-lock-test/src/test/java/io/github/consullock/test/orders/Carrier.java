package io.github.consullock.test.orders;

/**
 * Who takes the parcels.
 */
interface Carrier {

	/**
	 * Books a parcel, which takes a while.
	 */
	void book(long order) throws InterruptedException;

	/**
	 * Confirms a parcel that was booked.
	 */
	void confirm(long order);

}
