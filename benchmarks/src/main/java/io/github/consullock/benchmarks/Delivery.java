package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;

/**
 * A body that blocks in an HTTP call until it is cancelled.
 */
public class Delivery {

	private final HttpClient http = HttpClient.newHttpClient();

	private volatile long toldAt;

	private volatile long abortedAt;

	/**
	 * Calls the address under a lock.
	 * @param key the lock's key
	 * @param address what to call
	 * @return the answer's status
	 * @throws IOException if the call fails
	 * @throws InterruptedException if it is cancelled
	 */
	@DistributedLock("benchmark/#{#key}")
	public int deliver(String key, URI address) throws IOException, InterruptedException {
		LockHandle.current().onLost((reason) -> this.toldAt = System.nanoTime());
		try {
			return this.http.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.discarding())
				.statusCode();
		}
		finally {
			this.abortedAt = System.nanoTime();
		}
	}

	/** When the last call was told of its loss, by the monotonic clock. */
	long toldAt() {
		return this.toldAt;
	}

	/** When the last call ended, by the monotonic clock. */
	long abortedAt() {
		return this.abortedAt;
	}

}
