package io.github.consullock.consul;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;

import io.github.consullock.SessionBehavior;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Scopes in memory, where there is every one.
 */
class InMemoryConsulScopeTests extends ConsulScopeContractTests {

	@Override
	ConsulClient createClient() {
		return new InMemoryConsulClient();
	}

	@Test
	void eachScopeHasEntriesAndSessionsOfItsOwn() {
		List<ConsulClient> scopes = List.of(this.client, this.client.at(DC1),
				this.client.at(new ConsulScope(null, "team", null)),
				this.client.at(new ConsulScope(null, null, "team")),
				this.client.at(DC1).at(new ConsulScope(null, "team", null)));
		for (ConsulClient scope : scopes) {
			assertThat(scope.read(this.key, SECONDS)).isEmpty();
			set(scope);
		}
		String session = this.client.createSession(new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
				SessionBehavior.RELEASE, List.of(), List.of()));
		assertThat(scopes).filteredOn((scope) -> scope.sessionInfo(session, SECONDS).isPresent())
			.containsExactly(this.client);
	}

	@Test
	void clientsOfTheSameConsulShareItsScopes() {
		InMemoryConsulClient origin = (InMemoryConsulClient) this.client;
		try (InMemoryConsulClient other = origin.newClient()) {
			set(other.at(DC1));
			assertThat(this.client.at(DC1).read(this.key, SECONDS)).isPresent();
			assertThat(this.client.read(this.key, SECONDS)).isEmpty();
		}
		set(this.client.at(DC1));
	}

	@Test
	void aClientThatHasNoScopesSaysSo() {
		ConsulClient scopeless = (ConsulClient) Proxy.newProxyInstance(getClass().getClassLoader(),
				new Class<?>[] { ConsulClient.class }, InvocationHandler::invokeDefault);
		assertThat(scopeless.at(ConsulScope.DEFAULT) == scopeless).isTrue();
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> scopeless.at(DC1))
			.withMessageContaining(scopeless.getClass().getName())
			.withMessageContaining("dc1");
	}

}
