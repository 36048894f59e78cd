package io.github.consullock.lock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import io.github.consullock.ForwardingClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.KvEntry;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A look takes two reads. Whoever finds its place in the queue gone has to find the lock
 * that was handed to it, so the queue is read first.
 */
class LookOrderTests {

	@ParameterizedTest
	@MethodSource
	void theQueueIsReadBeforeTheLock(LockKind kind) {
		List<String> reads = new ArrayList<>();
		try (ForwardingClient client = new Recording(reads)) {
			kind.unseen().again(client, Duration.ofSeconds(2));
		}
		assertThat(reads).hasSize(2);
		assertThat(reads.get(0)).contains("/queues/");
		assertThat(reads.get(1)).startsWith("locks/a");
	}

	static Stream<LockKind> theQueueIsReadBeforeTheLock() {
		return Stream.of(KeyLock.of("locks/", List.of("a")), SemaphoreLock.of("locks/", "a", 2));
	}

	private static final class Recording extends ForwardingClient {

		private final List<String> reads;

		Recording(List<String> reads) {
			super(new InMemoryConsulClient());
			this.reads = reads;
		}

		@Override
		public Optional<KvEntry> read(String key, Duration timeout) {
			this.reads.add(key);
			return super.read(key, timeout);
		}

		@Override
		public List<KvEntry> list(String prefix, Duration timeout) {
			this.reads.add(prefix);
			return super.list(prefix, timeout);
		}

	}

}
