package io.github.consullock.consul;

import java.util.List;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Scopes as a real Consul has them: one datacenter, no namespaces.
 */
@ConsulTest
class HttpConsulScopeTests extends ConsulScopeContractTests {

	private final ConsulServer consul;

	HttpConsulScopeTests(ConsulServer consul) {
		this.consul = consul;
	}

	@Override
	ConsulClient createClient() {
		return HttpConsulClient.builder(this.consul.httpUri()).readTimeout(SECONDS).build();
	}

	@Test
	void theServersOwnDatacenterIsTheDefault() {
		set(this.client);
		assertThat(this.client.at(DC1).read(this.key, SECONDS)).isEqualTo(this.client.read(this.key, SECONDS))
			.isPresent();
	}

	@Test
	void anUnknownDatacenterIsRefused() {
		ConsulClient scoped = this.client.at(new ConsulScope("mars", null, null));
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> scoped.read(this.key, SECONDS))
			.withMessageContaining("No path to datacenter")
			.withMessageContaining("datacenter of the lock");
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> scoped.transact(List.of(KvOperation.delete(this.key)), SECONDS))
			.withMessageContaining("No path to datacenter");
	}

	@Test
	void aNamespaceIsRefusedByAConsulThatHasNone() {
		ConsulClient scoped = this.client.at(new ConsulScope(null, "team", null));
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> scoped.read(this.key, SECONDS))
			.withMessageContaining("Namespaces are a Consul Enterprise feature");
	}

}
