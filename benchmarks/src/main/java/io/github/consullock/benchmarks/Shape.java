package io.github.consullock.benchmarks;

/**
 * Who locks what.
 *
 * @param clients the number of clients
 * @param threads of each client
 * @param oneKey whether all lock the same key, or each thread its own
 */
record Shape(int clients, int threads, boolean oneKey) {

	/** Whether threads of one client exclude each other. */
	boolean withinClient() {
		return this.oneKey && this.threads > 1;
	}

	int workers() {
		return this.clients * this.threads;
	}

}
