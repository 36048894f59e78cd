package io.github.consullock.benchmarks;

import java.io.IOException;
import java.net.URI;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What a hand-over between processes costs at the least where all want the lock again at
 * once: one transaction that gives it to the session of the first in the queue and takes
 * that out of the queue, and a blocking query that wakes by it, while the one that had
 * the lock before queues up again by another transaction.
 */
final class HandOverFloor implements Contender {

	static final String NAME = "floor: one transaction hands over";

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
		return experiment instanceof Pairs pairs && pairs.shape().clients() > 1;
	}

	@Override
	public Client join(URI address) {
		throw new UnsupportedOperationException(NAME);
	}

	@Override
	public Load start(Shape shape, Store store, String key) throws IOException {
		PassedOn load = new PassedOn(store.address(), key);
		load.start();
		return load;
	}

	private static final class PassedOn extends Thread implements Load {

		private final String key;

		private final RawConsul giving;

		private final RawConsul watching;

		private final RawConsul queueing;

		private final Histogram handOvers = new Histogram(3);

		private volatile boolean running = true;

		private volatile boolean measuring;

		private volatile @Nullable Exception failure;

		PassedOn(URI address, String key) throws IOException {
			super("hand-over");
			this.key = key;
			this.giving = new RawConsul(address);
			this.watching = new RawConsul(address);
			this.queueing = new RawConsul(address);
		}

		@Override
		public void run() {
			try {
				String holder = this.giving.createSession();
				String other = this.giving.createSession();
				String before = this.giving.createSession();
				long index = this.giving.transact(RawConsul.lock("lock", this.key, holder, "holder"));
				long queued = this.queueing.transact(enqueue(other));
				while (this.running) {
					this.watching.send("GET", "/v1/kv/" + this.key + "?index=" + index + "&wait=10s", "");
					// So that it waits in the server before it is woken.
					TimeUnit.MICROSECONDS.sleep(500);
					long start = System.nanoTime();
					this.queueing.send("PUT", "/v1/txn", "[" + String.join(",", enqueue(before)) + "]");
					this.giving.send("PUT", "/v1/txn",
							"[" + RawConsul.check(entry(other), queued) + "," + RawConsul.delete(entry(other)) + ","
									+ RawConsul.check(this.key, index) + ","
									+ RawConsul.lock("unlock", this.key, holder, "") + ","
									+ RawConsul.lock("lock", this.key, other, "holder") + "]");
					index = RawConsul.modifyIndex(this.watching.receive());
					long nanos = System.nanoTime() - start;
					if (RawConsul.modifyIndex(this.giving.receive()) != index) {
						throw new IOException("The lock was not handed over");
					}
					queued = RawConsul.modifyIndex(this.queueing.receive());
					if (this.measuring) {
						this.handOvers.recordValue(nanos);
					}
					String last = holder;
					holder = other;
					other = before;
					before = last;
				}
				this.giving.transact(RawConsul.delete(entry(other)), RawConsul.delete(entry("marker")));
				for (String session : new String[] { holder, other, before }) {
					this.giving.put("/v1/session/destroy/" + session, "");
				}
			}
			catch (IOException | InterruptedException | RuntimeException ex) {
				this.failure = ex;
			}
		}

		private String entry(String name) {
			return this.key + "/.contenders/" + name;
		}

		private String[] enqueue(String session) {
			return new String[] { RawConsul.set(entry("marker"), UUID.randomUUID().toString()),
					RawConsul.checkNotExists(entry(session)),
					RawConsul.lock("lock", entry(session), session, "contender") };
		}

		@Override
		public void pause() {
			// It counts nothing but hand-overs.
		}

		@Override
		public void measure() {
			this.measuring = true;
		}

		@Override
		public Sample finish() throws Exception {
			this.running = false;
			join();
			if (this.failure != null) {
				throw this.failure;
			}
			return new Sample().putMicros("hand-over", this.handOvers);
		}

		@Override
		public void close() throws IOException {
			this.giving.close();
			this.watching.close();
			this.queueing.close();
		}

	}

}
