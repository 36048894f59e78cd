package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.ForwardingClient;
import io.github.consullock.PatientClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.consul.RenewalOutcome;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A pool with real threads.
 */
@ConsulTest
class SessionPoolThreadTests {

	private static final Duration AMPLE = Duration.ofSeconds(60);

	private static final int LESSEES = 8;

	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS;

	private final List<String> losses = new CopyOnWriteArrayList<>();

	@Test
	void noTwoHaveTheSameSessionAtATime() throws Exception {
		try (InMemoryConsulClient client = new InMemoryConsulClient(); SessionPool pool = pool(client)) {
			Set<String> inUse = ConcurrentHashMap.newKeySet();
			Set<String> used = ConcurrentHashMap.newKeySet();
			CyclicBarrier start = new CyclicBarrier(LESSEES);
			together(() -> {
				start.await(AMPLE.toSeconds(), TimeUnit.SECONDS);
				for (int i = 0; i < 200; i++) {
					SessionKeeper keeper = pool.lease();
					String id = session(keeper).id();
					assertThat(inUse.add(id)).isTrue();
					used.add(id);
					Thread.yield();
					inUse.remove(id);
					pool.giveBack(keeper);
				}
			});
			assertThat(used).hasSizeLessThanOrEqualTo(LESSEES);
			assertThat(used).allMatch((id) -> client.sessionInfo(id, AMPLE).isPresent());
			pool.close();
			assertThat(used).noneMatch((id) -> client.sessionInfo(id, AMPLE).isPresent());
			assertThat(this.losses).isEmpty();
		}
	}

	@Test
	void allKeepersShareThreads() throws Exception {
		Set<Thread> before = keeperThreads();
		try (InMemoryConsulClient client = new InMemoryConsulClient(); SessionPool pool = pool(client)) {
			for (int i = 0; i < LESSEES; i++) {
				session(pool.lease());
			}
			Set<Thread> threads = keeperThreads();
			threads.removeAll(before);
			assertThat(threads).hasSizeLessThanOrEqualTo(3);
		}
		await().atMost(AMPLE).untilAsserted(() -> assertThat(before).containsAll(keeperThreads()));
	}

	@Test
	void sessionsAreDestroyedSideBySide() throws Exception {
		CountDownLatch all = new CountDownLatch(LESSEES);
		try (InMemoryConsulClient memory = new InMemoryConsulClient();
				ConsulClient client = new ForwardingClient(memory) {

					@Override
					public void destroySession(String sessionId) {
						all.countDown();
						awaitAll(all);
						super.destroySession(sessionId);
					}

				}) {
			List<String> ids = new ArrayList<>();
			try (SessionPool pool = pool(client)) {
				for (int i = 0; i < LESSEES; i++) {
					ids.add(session(pool.lease()).id());
				}
			}
			assertThat(ids).noneMatch((id) -> memory.sessionInfo(id, AMPLE).isPresent());
		}
	}

	@Test
	void renewalsThatAreAnsweredSlowlyGoOnSideBySideButNotEachOnAThreadOfItsOwn() throws Exception {
		int sessions = 3 * LESSEES;
		Set<String> begun = ConcurrentHashMap.newKeySet();
		AtomicInteger underWay = new AtomicInteger();
		AtomicInteger most = new AtomicInteger();
		Semaphore answers = new Semaphore(0);
		try (InMemoryConsulClient memory = new InMemoryConsulClient();
				ConsulClient client = new ForwardingClient(memory) {

					@Override
					public RenewalOutcome renewSession(String sessionId) {
						if (!begun.add(sessionId)) {
							most.accumulateAndGet(underWay.incrementAndGet(), Math::max);
							awaitAnswer(answers);
							underWay.decrementAndGet();
						}
						return super.renewSession(sessionId);
					}

				};
				SessionPool pool = pool(client)) {
			for (int i = 0; i < sessions; i++) {
				session(pool.lease());
			}
			// One that was alone when it was due keeps the others waiting until it is
			// answered.
			await().pollInterval(Duration.ofMillis(500)).atMost(AMPLE).until(() -> {
				answers.release();
				return most.get() == LESSEES;
			});
			answers.release(1000);
			await().atMost(AMPLE).until(() -> underWay.get() == 0);
			assertThat(most).hasValue(LESSEES);
		}
	}

	private static void awaitAnswer(Semaphore answers) {
		try {
			answers.acquire();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new ConsulUnavailableException("Interrupted", ex);
		}
	}

	private static void awaitAll(CountDownLatch all) {
		try {
			if (!all.await(AMPLE.toSeconds(), TimeUnit.SECONDS)) {
				throw new ConsulUnavailableException("The others are not there");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new ConsulUnavailableException("Interrupted", ex);
		}
	}

	@Test
	void closingFromSeveralThreadsWhileOthersLeaseLeavesNoSession() throws Exception {
		for (int round = 0; round < 50; round++) {
			Set<String> created = ConcurrentHashMap.newKeySet();
			try (InMemoryConsulClient client = new InMemoryConsulClient(); SessionPool pool = pool(client)) {
				CyclicBarrier start = new CyclicBarrier(LESSEES);
				together(() -> {
					int order = start.await(AMPLE.toSeconds(), TimeUnit.SECONDS);
					try {
						SessionKeeper keeper = pool.lease();
						created.add(session(keeper).id());
						if (order % 2 == 0) {
							pool.giveBack(keeper);
						}
						else {
							pool.close();
						}
					}
					catch (ConsulUnavailableException ex) {
						assertThat(ex).hasMessageContaining("closed");
					}
				});
				pool.close();
				await().atMost(AMPLE)
					.until(() -> created.stream().noneMatch((id) -> client.sessionInfo(id, AMPLE).isPresent()));
			}
		}
	}

	@Test
	void sessionsAreKeptAndDestroyedInARealConsul(ConsulServer consul) throws Exception {
		Duration ttl = Duration.ofSeconds(10);
		SessionSettings settings = new SessionSettings("pool-test", ttl, ttl, SessionBehavior.RELEASE, List.of(),
				List.of(), Duration.ofMillis(2500), false);
		try (ConsulClient client = new PatientClient(consul.httpUri())) {
			ConsulSession leased;
			ConsulSession idle;
			try (SessionPool pool = new SessionPool(client, settings, this::lost)) {
				leased = session(pool.lease());
				SessionKeeper keeper = pool.lease();
				idle = session(keeper);
				pool.giveBack(keeper);
				await().during(ttl.multipliedBy(2).plusSeconds(2))
					.atMost(AMPLE)
					.until(() -> leased.isLive() && idle.isLive());
				assertThat(session(pool.lease())).isSameAs(idle);
			}
			assertThat(PatientClient.answered(() -> client.sessionInfo(leased.id(), AMPLE))).isEmpty();
			assertThat(PatientClient.answered(() -> client.sessionInfo(idle.id(), AMPLE))).isEmpty();
			assertThat(this.losses).isEmpty();
		}
	}

	private SessionPool pool(ConsulClient client) {
		return new SessionPool(client, SETTINGS, this::lost);
	}

	private void lost(ConsulSession session, Object reason) {
		this.losses.add(session.id() + " " + reason);
	}

	private static ConsulSession session(SessionKeeper keeper) throws Exception {
		try {
			return keeper.session().get(AMPLE.toSeconds(), TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			throw (ex.getCause() instanceof RuntimeException cause) ? cause : ex;
		}
	}

	private static void together(Work work) throws Exception {
		ExecutorService executor = Executors.newFixedThreadPool(LESSEES);
		try {
			List<Future<?>> lessees = new ArrayList<>();
			for (int i = 0; i < LESSEES; i++) {
				lessees.add(executor.submit(() -> {
					work.run();
					return null;
				}));
			}
			for (Future<?> lessee : lessees) {
				lessee.get(AMPLE.toSeconds() * 2, TimeUnit.SECONDS);
			}
		}
		finally {
			executor.shutdownNow();
		}
	}

	private static Set<Thread> keeperThreads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().startsWith("consul-lock-"))
			.collect(Collectors.toSet());
	}

	/**
	 * What several do at once.
	 */
	private interface Work {

		void run() throws Exception;

	}

}
