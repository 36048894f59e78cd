package io.github.consullock.lock;

import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import io.github.consullock.consul.ConsulScope;
import io.github.consullock.consul.InMemoryConsulClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Locks in another datacenter, namespace or partition than the client's.
 */
class LockScopesTests {

	private static final Duration AMPLE = Duration.ofMinutes(1);

	private final InMemoryConsulClient client = new InMemoryConsulClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.client).build();

	@AfterEach
	void stop() {
		this.registry.close();
		this.client.close();
	}

	static Stream<UnaryOperator<LockOptions.Builder>> scopes() {
		return Stream.of((options) -> options.datacenter("east"), (options) -> options.namespace("team"),
				(options) -> options.partition("shop"),
				(options) -> options.datacenter("east").namespace("team").partition("shop"));
	}

	@ParameterizedTest
	@MethodSource("scopes")
	void aLockIsWhereItsOptionsSayAndNowhereElse(UnaryOperator<LockOptions.Builder> scope) {
		LockOptions options = scope.apply(LockOptions.builder("a")).build();
		try (LockHandle here = this.registry.obtain("a").acquire(AMPLE);
				LockHandle there = this.registry.obtain(options).acquire(AMPLE)) {
			assertThat(here.isHeld()).isTrue();
			assertThat(there.isHeld()).isTrue();
			assertThat(this.registry.obtain(options).tryAcquire(Duration.ZERO)).isEmpty();
			List<UnaryOperator<LockOptions.Builder>> others = scopes().toList();
			for (UnaryOperator<LockOptions.Builder> other : others) {
				LockOptions elsewhere = other.apply(LockOptions.builder("a")).build();
				assertThat(this.registry.obtain(elsewhere).isLocked()).isEqualTo(elsewhere.equals(options));
			}
			assertThat(this.client.at(new ConsulScope(options.datacenter(), options.namespace(), options.partition()))
				.read(there.key(), AMPLE)
				.orElseThrow()
				.session()).isNotNull();
		}
		assertThat(this.registry.obtain(options).isLocked()).isFalse();
	}

}
