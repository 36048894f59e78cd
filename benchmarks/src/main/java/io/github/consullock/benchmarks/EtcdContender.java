package io.github.consullock.benchmarks;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Set;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/**
 * The lock of etcd's own API, by jetcd: a client has one lease, kept alive.
 */
final class EtcdContender implements Contender {

	@Override
	public String name() {
		return "jetcd";
	}

	@Override
	public String version() {
		return io.etcd.jetcd.Client.class.getProtectionDomain()
			.getCodeSource()
			.getLocation()
			.getPath()
			.replaceAll(".*-([0-9.]+)\\.jar", "$1");
	}

	@Override
	public Set<StoreKind> stores() {
		return Set.of(StoreKind.ETCD);
	}

	/** Threads that share a lease do not exclude each other. */
	@Override
	public boolean suits(SideBySide experiment) {
		return !(experiment instanceof Loss) && !(experiment instanceof Pairs pairs && pairs.shape().withinClient());
	}

	@Override
	public Client join(URI address) throws Exception {
		io.etcd.jetcd.Client etcd = io.etcd.jetcd.Client.builder().endpoints(address).build();
		long lease = etcd.getLeaseClient().grant(25).get().getID();
		return new EtcdLocks(etcd, lease, etcd.getLeaseClient().keepAlive(lease, new Ignoring()));
	}

	private record EtcdLocks(io.etcd.jetcd.Client etcd, long lease, AutoCloseable keptAlive) implements Client {

		@Override
		public Mutex mutex(String key) {
			ByteSequence name = ByteSequence.from(key, StandardCharsets.UTF_8);
			return new Mutex() {

				private @Nullable ByteSequence held;

				@Override
				public void lock() throws Exception {
					this.held = EtcdLocks.this.etcd.getLockClient().lock(name, EtcdLocks.this.lease).get().getKey();
				}

				@Override
				public void unlock() throws Exception {
					EtcdLocks.this.etcd.getLockClient().unlock(Objects.requireNonNull(this.held)).get();
				}

			};
		}

		@Override
		public void close() throws Exception {
			this.keptAlive.close();
			this.etcd.getLeaseClient().revoke(this.lease).get();
			this.etcd.close();
		}

	}

	private static final class Ignoring implements StreamObserver<LeaseKeepAliveResponse> {

		@Override
		public void onNext(LeaseKeepAliveResponse value) {
		}

		@Override
		public void onError(Throwable error) {
		}

		@Override
		public void onCompleted() {
		}

	}

}
