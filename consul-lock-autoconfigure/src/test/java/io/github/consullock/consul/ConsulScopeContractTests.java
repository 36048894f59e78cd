package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.PatientClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.TransactionOutcome.Committed;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What each {@link ConsulClient} does for a part of its Consul.
 */
@Timeout(120)
abstract class ConsulScopeContractTests {

	static final Duration SECONDS = Duration.ofSeconds(60);

	static final ConsulScope DC1 = new ConsulScope("dc1", null, null);

	final String key = "scope-" + UUID.randomUUID() + "/k";

	ConsulClient client;

	abstract ConsulClient createClient();

	@BeforeEach
	void setUp() {
		this.client = createClient();
	}

	@AfterEach
	void tearDown() {
		this.client.close();
	}

	@Test
	void sessionLocksInItsScope() {
		ConsulClient scoped = this.client.at(DC1);
		String session = scoped.createSession(new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
				SessionBehavior.RELEASE, List.of(), List.of()));
		assertThat(scoped.transact(
				List.of(KvOperation.checkNotExists(this.key), KvOperation.lock(this.key, session, "v", 1)), SECONDS))
			.isInstanceOf(Committed.class);
		assertThat(PatientClient.answered(() -> scoped.renewSession(session)))
			.isInstanceOf(RenewalOutcome.Renewed.class);
		assertThat(PatientClient.answered(() -> scoped.sessionInfo(session, SECONDS))).isPresent();
		assertThat(scoped.read(this.key, SECONDS)).map(KvEntry::session).hasValue(session);
		assertThat(scoped.list(this.key)).hasSize(1);
		PatientClient.done(() -> scoped.destroySession(session));
		assertThat(scoped.watchSession(session, 0, SECONDS).visible()).isFalse();
	}

	@Test
	void whatOneClientWritesAnotherOfTheSameScopeSees() {
		set(this.client.at(DC1));
		assertThat(this.client.at(new ConsulScope(" dc1 ", "", " ")).read(this.key, SECONDS)).isPresent();
	}

	@Test
	void theDefaultScopeIsTheClientsOwn() {
		set(this.client);
		assertThat(this.client.at(ConsulScope.DEFAULT).read(this.key, SECONDS)).isPresent();
		set(this.client.at(DC1));
		assertThat(this.client.at(DC1).at(ConsulScope.DEFAULT).read(this.key, SECONDS)).isPresent();
	}

	@Test
	void closingAScopeClosesNothing() {
		ConsulClient scoped = this.client.at(DC1);
		this.client.at(ConsulScope.DEFAULT).close();
		scoped.close();
		set(scoped);
		set(this.client);
	}

	@Test
	void aScopeIsClosedWithItsClient() throws Exception {
		ConsulClient scoped = this.client.at(DC1);
		set(scoped);
		KvSnapshot snapshot = scoped.watch(this.key, 0, SECONDS);
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				scoped.watch(this.key, snapshot.index(), Duration.ofMinutes(5));
			}
			catch (RuntimeException ex) {
				failure.complete(ex);
			}
		});
		thread.start();
		TestThreads.awaitBlocked(thread);
		this.client.close();
		assertThat(failure.get(60, TimeUnit.SECONDS)).isInstanceOf(ConsulUnavailableException.class)
			.hasMessageContaining("closed");
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> scoped.read(this.key, SECONDS))
			.withMessageContaining("closed");
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> this.client.at(DC1).read(this.key, SECONDS))
			.withMessageContaining("closed");
	}

	final void set(ConsulClient scoped) {
		assertThat(scoped.transact(List.of(KvOperation.set(this.key, "v", 0)), SECONDS)).isInstanceOf(Committed.class);
	}

}
