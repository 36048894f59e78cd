package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * What this library's two transactions cost at the least: the same ones on a bare
 * connection for each thread, without waiting, renewal, watching or any care for
 * failures. No lock could do with less.
 */
final class RawFloor implements Contender {

	static final String NAME = "floor";

	@Override
	public String name() {
		return NAME;
	}

	@Override
	public String version() {
		return "";
	}

	@Override
	public Set<StoreKind> stores() {
		return StoreKind.CONSUL;
	}

	@Override
	public boolean suits(SideBySide experiment) {
		return experiment instanceof Loss || experiment instanceof Pairs pairs && !pairs.shape().oneKey();
	}

	@Override
	public Client join(URI address) throws IOException {
		return new RawClient(address);
	}

	@Override
	public LossProbe losses(Store store) throws IOException {
		return new WatchedSessions(store.address());
	}

	private static final class RawClient implements Client {

		private final URI address;

		private final RawConsul consul;

		private final List<RawConsul> connections = new ArrayList<>();

		private final String session;

		private final String fence;

		private final long fenceIndex;

		RawClient(URI address) throws IOException {
			this.address = address;
			this.consul = connect();
			this.session = this.consul.createSession();
			this.fence = "bench/.consul-lock/fences/" + this.session;
			this.fenceIndex = this.consul.transact(RawConsul.lock("lock", this.fence, this.session, "fence 1"));
		}

		private RawConsul connect() throws IOException {
			RawConsul connection = new RawConsul(this.address);
			this.connections.add(connection);
			return connection;
		}

		@Override
		public Mutex mutex(String key) throws IOException {
			RawConsul connection = connect();
			// Of the queue in which nobody waits.
			String marker = "bench/.consul-lock/queues/" + key + "/.contenders/marker";
			return new Mutex() {

				private long index;

				@Override
				public void lock() throws IOException {
					String value = "{\"instance\":\"pid 12345\",\"host\":\"localhost\",\"pid\":12345,\"since\":\""
							+ Instant.now() + "\"}";
					this.index = connection.transact(RawConsul.check(RawClient.this.fence, RawClient.this.fenceIndex),
							RawConsul.checkNotExists(key), RawConsul.lock("lock", key, RawClient.this.session, value));
				}

				@Override
				public void unlock() throws IOException {
					connection.transact(RawConsul.checkNotExists(marker), RawConsul.check(key, this.index),
							RawConsul.deleteCas(key, this.index));
				}

			};
		}

		@Override
		public void close() throws IOException {
			this.consul.put("/v1/session/destroy/" + this.session, "");
			this.consul.put("/v1/txn", "[{\"KV\":{\"Verb\":\"delete\",\"Key\":\"" + this.fence + "\"}}]");
			for (RawConsul connection : this.connections) {
				connection.close();
			}
		}

	}

	/** A blocking query on a session, which its destruction ends. */
	private static final class WatchedSessions implements LossProbe {

		private final RawConsul watching;

		private final RawConsul destroying;

		WatchedSessions(URI address) throws IOException {
			this.watching = new RawConsul(address);
			this.destroying = new RawConsul(address);
		}

		@Override
		public Map<String, Long> lose(String key) throws Exception {
			String session = this.destroying.createSession();
			String path = "/v1/session/info/" + session;
			String index = this.watching.get(path).replaceAll("(?s).*X-Consul-Index: (\\d+).*", "$1");
			CountDownLatch waits = new CountDownLatch(1);
			long[] awake = new long[1];
			Thread watcher = new Thread(() -> {
				try {
					waits.countDown();
					this.watching.get(path + "?index=" + index + "&wait=25s");
					awake[0] = System.nanoTime();
				}
				catch (IOException ex) {
					awake[0] = Long.MAX_VALUE;
				}
			}, "session-watch");
			watcher.start();
			waits.await();
			TimeUnit.MILLISECONDS.sleep(5);
			long start = System.nanoTime();
			this.destroying.put("/v1/session/destroy/" + session, "");
			watcher.join();
			return Map.of(Loss.TOLD, awake[0] - start);
		}

		@Override
		public void close() throws IOException {
			this.watching.close();
			this.destroying.close();
		}

	}

}
