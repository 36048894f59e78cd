package io.github.consullock.faults;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Predicate;

import io.github.consullock.FaultyProxy;
import io.github.consullock.FaultyProxy.Fault;
import io.github.consullock.FaultyProxy.Request;
import io.github.consullock.LockHandle;
import io.github.consullock.PatientClient;
import io.github.consullock.consul.ConsulClient;
import io.github.consullock.consul.HttpConsulClient;
import io.github.consullock.consul.KvEntry;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.session.SessionSettings;
import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import io.github.consullock.testserver.KeyPrefix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Each call of a lock's life whose request or answer is lost, or that arrives late, each
 * time with instances and a key of its own. Afterwards the caller has the lock and says
 * so, or it is free.
 */
@Tag("faults")
@ConsulTest
@Timeout(1800)
class LostMessagesTests {

	private static final Duration LONG = Duration.ofMinutes(2);

	/** An answer that never comes costs as much. */
	private static final Duration SHORT = Duration.ofSeconds(2);

	private static final SessionSettings SETTINGS = SessionSettings.DEFAULTS.withTimes(Duration.ofSeconds(10),
			Duration.ofSeconds(10));

	private static final List<Fault> LOSSES = List.of(Fault.LOSE_ANSWER, Fault.RESET, Fault.LOSE_REQUEST, Fault.STALL);

	/** At a time; tests wait more than they compute. */
	private static final int SIDE_BY_SIDE = 8;

	private final URI consul;

	private final String prefix;

	private final ConsulClient observer;

	private final History history = new History();

	private final ExecutorService executor = Executors.newFixedThreadPool(SIDE_BY_SIDE);

	LostMessagesTests(ConsulServer consul, KeyPrefix prefix) {
		this.consul = consul.httpUri();
		this.prefix = prefix.value();
		this.observer = new PatientClient(this.consul);
	}

	@AfterEach
	void stop() {
		this.executor.shutdownNow();
		this.observer.close();
	}

	@Test
	void whatIsLostLeavesALockThatIsOwnedAndReportedOrFree() throws Exception {
		Scenario scenario = new Scenario("6 replies and requests lost or reset");
		// Each call with each fault, again and again.
		int rounds = Scenario.times(1, 50) * Call.values().length * LOSSES.size();
		run(rounds, (round) -> {
			Call call = Call.values()[round % Call.values().length];
			lose(call, LOSSES.get((round / Call.values().length) % LOSSES.size()), "lost" + round, scenario);
		});
		scenario.end();
		assertNothingIsLeft();
	}

	private void lose(Call call, Fault fault, String key, Scenario scenario) throws Exception {
		try (FaultyProxy proxy = new FaultyProxy(this.consul)) {
			ConsulClient client = HttpConsulClient.builder(proxy.uri()).connectTimeout(LONG).readTimeout(SHORT).build();
			ConsulLockRegistry registry = registry(client);
			if (call == Call.CREATE || call == Call.ACQUIRE) {
				proxy.next(call.of(this.prefix + key), fault);
			}
			LockHandle handle = acquire(registry, key);
			History.Held held = this.history.acquired(key, handle);
			KvEntry entry = entry(key).orElseThrow();
			assertThat(entry.session()).as(call + " " + fault).isNotNull();
			assertThat(entry.modifyIndex()).as(call + " " + fault).isEqualTo(handle.fencingToken());
			if (call == Call.RENEW) {
				proxy.next(call.of(key), fault);
				await().atMost(LONG).until(proxy::isDone);
				long renewals = renewals(proxy);
				await().atMost(LONG).until(() -> renewals(proxy) > renewals + 1);
			}
			assertThat(handle.isHeld()).as(call + " " + fault).isTrue();
			scenario.count("owned and reported");
			if (call == Call.RELEASE || call == Call.DESTROY) {
				proxy.next(call.of(this.prefix + key), fault);
			}
			held.ends();
			if (call == Call.DESTROY) {
				registry.close();
			}
			else {
				handle.release();
			}
			long start = System.nanoTime();
			await().pollInterval(Duration.ofMillis(5)).pollDelay(Duration.ZERO).atMost(LONG).until(() -> isFree(key));
			if (call == Call.RELEASE || call == Call.DESTROY) {
				scenario.measured("free after " + call + " " + fault, Duration.ofNanos(System.nanoTime() - start));
			}
			scenario.count("free");
			registry.close();
			client.close();
			assertThat(proxy.isDone()).as(call + " " + fault).isTrue();
		}
	}

	@Test
	void whatArrivesLateLeaksNoLockAndEndsNoHold() throws Exception {
		Scenario scenario = new Scenario("7 calls delivered late");
		int rounds = Scenario.times(1, 34) * Call.values().length * Moment.values().length;
		run(rounds, (round) -> {
			Call call = Call.values()[round % Call.values().length];
			Moment moment = Moment.values()[(round / Call.values().length) % Moment.values().length];
			deliverLate(call, moment, "late" + round, scenario);
		});
		scenario.end();
		assertNothingIsLeft();
	}

	private void deliverLate(Call call, Moment moment, String key, Scenario scenario) throws Exception {
		String what = call + " " + moment;
		try (FaultyProxy proxy = new FaultyProxy(this.consul)) {
			ConsulClient client = HttpConsulClient.builder(proxy.uri()).connectTimeout(LONG).readTimeout(SHORT).build();
			ConsulClient direct = new PatientClient(this.consul);
			ConsulLockRegistry registry = registry(client);
			ConsulLockRegistry other = registry(direct);
			if (call == Call.CREATE || call == Call.ACQUIRE) {
				proxy.next(call.of(this.prefix + key), Fault.HOLD_BACK);
			}
			LockHandle handle = acquire(registry, key);
			History.Held held = this.history.acquired(key, handle);
			if (call == Call.RENEW) {
				proxy.next(call.of(key), Fault.HOLD_BACK);
				await().atMost(LONG).until(proxy::isDone);
			}
			if (moment == Moment.FIRST_HOLD && call.isBeforeTheHold()) {
				deliver(proxy, handle, what);
				scenario.count("during the hold");
			}
			if (call == Call.RELEASE || call == Call.DESTROY) {
				proxy.next(call.of(this.prefix + key), Fault.HOLD_BACK);
			}
			held.ends();
			if (call == Call.DESTROY) {
				registry.close();
			}
			else {
				handle.release();
			}
			await().atMost(LONG).until(() -> proxy.isDone() && isFree(key));
			if (moment != Moment.NEXT_HOLD && proxy.hasLate()) {
				assertThat(proxy.deliverLate()).as(what).isNotEmpty();
				assertThat(isFree(key)).as(what).isTrue();
				scenario.count("when the lock was free");
			}
			LockHandle taken = other.obtain(key).acquire();
			History.Held heldNext = this.history.acquired(key, taken);
			if (moment == Moment.NEXT_HOLD) {
				deliver(proxy, taken, what);
				scenario.count("during the next hold");
			}
			assertThat(taken.isHeld()).as(what).isTrue();
			heldNext.ends();
			assertThat(taken.release()).as(what).isTrue();
			assertThat(isFree(key)).as(what).isTrue();
			registry.close();
			other.close();
			client.close();
			direct.close();
		}
	}

	private void deliver(FaultyProxy proxy, LockHandle during, String what) throws Exception {
		KvEntry before = this.observer.read(during.key(), LONG).orElseThrow();
		assertThat(proxy.deliverLate()).as(what).isNotEmpty();
		assertThat(during.isHeld()).as(what).isTrue();
		assertThat(this.observer.read(during.key(), LONG)).as(what).hasValue(before);
	}

	private ConsulLockRegistry registry(ConsulClient client) {
		return ConsulLockRegistry.builder(client)
			.keyPrefix(this.prefix)
			.session(SETTINGS.withName(this.prefix))
			.waitTime(LONG)
			.shutdownTimeout(Duration.ZERO)
			.build();
	}

	/** For a holder that ends when it is told to, as a cancelled body does. */
	private static LockHandle acquire(ConsulLockRegistry registry, String key) {
		LockHandle handle = registry.obtain(key).acquire();
		handle.onLost((reason) -> handle.close());
		return handle;
	}

	private static long renewals(FaultyProxy proxy) {
		return proxy.requests().stream().filter(Call.RENEW.of("")).count();
	}

	private Optional<KvEntry> entry(String key) {
		return this.observer.read(this.prefix + key, LONG);
	}

	private boolean isFree(String key) {
		return entry(key).filter((entry) -> entry.session() != null).isEmpty();
	}

	private void assertNothingIsLeft() {
		assertThat(new Checker(Duration.ZERO, Duration.ZERO).violationsIn(this.history)).isEmpty();
		await().atMost(LONG).untilAsserted(() -> assertThat(this.observer.list(this.prefix, LONG)).isEmpty());
	}

	private void run(int rounds, Round round) throws Exception {
		List<Future<?>> running = new ArrayList<>();
		for (int i = 0; i < rounds; i++) {
			int number = i;
			Callable<?> task = () -> {
				round.run(number);
				return null;
			};
			running.add(this.executor.submit(task));
		}
		for (Future<?> future : running) {
			future.get();
		}
	}

	/** A call of a lock's life. */
	private enum Call {

		CREATE, ACQUIRE, RENEW, RELEASE, DESTROY;

		Predicate<Request> of(String key) {
			return switch (this) {
				case CREATE -> (request) -> request.path().startsWith("/v1/session/create");
				case ACQUIRE -> (request) -> isOf(request, key) && !request.contains("delete-cas");
				case RENEW -> (request) -> request.path().startsWith("/v1/session/renew/");
				case RELEASE -> (request) -> isOf(request, key) && request.contains("delete-cas");
				case DESTROY -> (request) -> request.path().startsWith("/v1/session/destroy/");
			};
		}

		private static boolean isOf(Request request, String key) {
			return request.isTransaction() && request.contains(key);
		}

		boolean isBeforeTheHold() {
			return this == CREATE || this == ACQUIRE || this == RENEW;
		}

	}

	/** When a call arrives that its sender has given up. */
	private enum Moment {

		/** Of a release, when the lock is free. */
		FIRST_HOLD,

		LOCK_FREE,

		NEXT_HOLD

	}

	/** What is done again and again. */
	private interface Round {

		void run(int number) throws Exception;

	}

}
