package io.github.consullock.consul;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.PatientClient;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.TransactionOutcome.Committed;
import io.github.consullock.consul.TransactionOutcome.Failure;
import io.github.consullock.consul.TransactionOutcome.FailureReason;
import io.github.consullock.consul.TransactionOutcome.RolledBack;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What each {@link ConsulClient} does, so that one may stand for another.
 */
@Timeout(120)
abstract class ConsulClientContractTests {

	static final Duration SECONDS = Duration.ofSeconds(60);

	/** For what ends before. */
	private static final Duration LONG = Duration.ofMinutes(5);

	/**
	 * The flags of a semaphore entry; they do not fit a signed long.
	 */
	static final long GREAT_FLAGS = Long.parseUnsignedLong("16210313421097356768");

	private ConsulClient client;

	private String prefix;

	abstract ConsulClient createClient();

	@BeforeEach
	void setUp() {
		this.client = createClient();
		this.prefix = "contract-" + UUID.randomUUID() + "/";
	}

	@AfterEach
	void tearDown() {
		Thread.interrupted();
		this.client.close();
	}

	@Test
	void sessionIsRenewedWithTheSettingsItWasCreatedWith() {
		String session = this.client.createSession(new SessionRequest("test", Duration.ofMillis(12500),
				Duration.ofSeconds(7), SessionBehavior.RELEASE, List.of(), List.of()));
		assertThat(renew(session))
			.isEqualTo(new RenewalOutcome.Renewed(Duration.ofMillis(12500), Duration.ofSeconds(7)));
	}

	@Test
	void sessionIsReadAsItWasCreated() {
		String session = this.client.createSession(new SessionRequest("a name", Duration.ofMillis(12500),
				Duration.ofSeconds(7), SessionBehavior.DELETE, List.of(), List.of()));
		assertThat(info(session)).hasValue(new SessionInfo(session, "a name", Duration.ofMillis(12500),
				Duration.ofSeconds(7), SessionBehavior.DELETE));
		assertThat(info(UUID.randomUUID().toString())).isEmpty();
		destroy(session);
		assertThat(info(session)).isEmpty();
	}

	@Test
	void destroyedSessionHasEnded() {
		String session = session(Duration.ZERO);
		destroy(session);
		assertThat(renew(session)).isEqualTo(new RenewalOutcome.Ended());
		assertThat(this.client.watchSession(session, 0, SECONDS).visible()).isFalse();
		destroy(session);
	}

	@Test
	void unknownSessionHasEnded() {
		assertThat(renew(UUID.randomUUID().toString())).isEqualTo(new RenewalOutcome.Ended());
	}

	@ParameterizedTest
	@ValueSource(ints = { 5, 90000 })
	void ttlOutOfBoundsIsRefused(int seconds) {
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> this.client.createSession(new SessionRequest("test", Duration.ofSeconds(seconds),
					Duration.ZERO, SessionBehavior.RELEASE, List.of(), List.of())))
			.withMessageContaining("Invalid Session TTL")
			.withMessageContaining("consul.lock.session.ttl");
	}

	@Test
	void unknownCheckIsRefused() {
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> this.client.createSession(new SessionRequest("test", Duration.ofSeconds(10),
					Duration.ZERO, SessionBehavior.RELEASE, List.of("no-such-check"), List.of())))
			.withMessageContaining("Missing check")
			.withMessageContaining("no-such-check")
			.withMessageContaining("node-checks");
	}

	@Test
	void lockTakesFreeKeyAndTellsItsIndex() {
		String session = session(Duration.ZERO);
		String key = key("k");
		TransactionOutcome outcome = transact(KvOperation.checkNotExists(key),
				KvOperation.lock(key, session, "välue", GREAT_FLAGS));
		KvEntry entry = lastOf(outcome);
		assertThat(entry.key()).isEqualTo(key);
		assertThat(entry.session()).isEqualTo(session);
		assertThat(entry.flags()).isEqualTo(GREAT_FLAGS);
		assertThat(entry.modifyIndex()).isPositive();
		assertThat(read(key))
			.isEqualTo(new KvEntry(key, "välue", GREAT_FLAGS, session, entry.createIndex(), entry.modifyIndex()));
	}

	@Test
	void absentKeyIsReadAsNone() {
		assertThat(this.client.read(key("absent"), SECONDS)).isEmpty();
		assertThat(this.client.list(key("absent"))).isEmpty();
	}

	@Test
	void listHasAllKeysBelowPrefixInOrder() {
		transact(KvOperation.set(key("b/2"), "2", 0), KvOperation.set(key("b/10"), "10", 0),
				KvOperation.set(key("b"), "", 0), KvOperation.set(key("c"), "", 0));
		assertThat(this.client.list(key("b"))).extracting(KvEntry::key)
			.containsExactly(key("b"), key("b/10"), key("b/2"));
		assertThat(this.client.list(key("b/"))).extracting(KvEntry::value).containsExactly("10", "2");
	}

	@ParameterizedTest
	@ValueSource(strings = { "a b", "a%2Fb", "a+b?c=d&e#f", "ümläut/日本", "q\"uote", "back\\slash", "a:b@c;d,e",
			"key exists", "due to lock delay", "x\", lock is already held" })
	void anyTextMayBeInKey(String name) {
		String session = session(Duration.ZERO);
		String other = session(Duration.ZERO);
		String key = key(name);
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		assertThat(read(key)).isEqualTo(new KvEntry(key, "v", 1, session, locked.createIndex(), locked.modifyIndex()));
		assertThat(this.client.list(this.prefix)).extracting(KvEntry::key).containsExactly(key);
		assertThat(this.client.watch(key, 0, SECONDS).entry()).isEqualTo(read(key));
		assertThat(reasons(transact(KvOperation.lock(key, other, "v", 1))))
			.containsExactly(FailureReason.HELD_BY_ANOTHER);
		assertThat(reasons(transact(KvOperation.checkNotExists(key)))).containsExactly(FailureReason.EXISTS);
		assertThat(reasons(transact(KvOperation.unlock(key, other, "v", 1)))).containsExactly(FailureReason.NOT_HELD);
		assertThat(reasons(transact(KvOperation.deleteCas(key, 1)))).containsExactly(FailureReason.CHANGED);
	}

	@Test
	void everyFailedOperationIsListedWithItsReason() {
		String session = session(Duration.ZERO);
		String other = session(Duration.ZERO);
		String key = key("held");
		transact(KvOperation.lock(key, session, "v", 1));
		RolledBack outcome = rolledBack(transact(KvOperation.checkIndex(key, 1), KvOperation.checkNotExists(key),
				KvOperation.checkSession(key, other), KvOperation.checkSession(key, session),
				KvOperation.lock(key, other, "w", 2), KvOperation.unlock(key, other, "w", 2),
				KvOperation.deleteCas(key, 1), KvOperation.checkIndex(key("absent"), 1),
				KvOperation.checkSession(key("absent"), session), KvOperation.unlock(key("absent"), session, "", 0),
				KvOperation.lock(key("absent"), UUID.randomUUID().toString(), "", 0),
				KvOperation.set(key("x"), "", 0)));
		assertThat(outcome.failures()).extracting(Failure::operation).containsExactly(0, 1, 2, 4, 5, 6, 7, 8, 9, 10);
		assertThat(outcome.failures()).extracting(Failure::reason)
			.containsExactly(FailureReason.CHANGED, FailureReason.EXISTS, FailureReason.CHANGED,
					FailureReason.HELD_BY_ANOTHER, FailureReason.NOT_HELD, FailureReason.CHANGED, FailureReason.ABSENT,
					FailureReason.ABSENT, FailureReason.NOT_HELD, FailureReason.SESSION_INVALID);
		assertThat(outcome.reasonOf(3)).isEmpty();
		assertThat(outcome.failures()).allSatisfy((failure) -> assertThat(failure.what()).isNotBlank());
		assertThat(this.client.read(key("x"), SECONDS)).isEmpty();
		assertThat(read(key).value()).isEqualTo("v");
	}

	@Test
	void failedOperationsSeeWhatEarlierOnesDid() {
		String session = session(Duration.ZERO);
		String other = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		KvEntry handedOver = lastOf(transact(KvOperation.checkSession(key, session),
				KvOperation.unlock(key, session, "u", 2), KvOperation.lock(key, other, "w", 3)));
		assertThat(read(key))
			.isEqualTo(new KvEntry(key, "w", 3, other, handedOver.createIndex(), handedOver.modifyIndex()));
	}

	@Test
	void unlockFreesKeyAndWritesIt() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		KvEntry unlocked = lastOf(transact(KvOperation.checkIndex(key, locked.modifyIndex()),
				KvOperation.unlock(key, session, "u", GREAT_FLAGS)));
		assertThat(unlocked.modifyIndex()).isGreaterThan(locked.modifyIndex());
		assertThat(read(key))
			.isEqualTo(new KvEntry(key, "u", GREAT_FLAGS, null, unlocked.createIndex(), unlocked.modifyIndex()));
	}

	@Test
	void plainWriteKeepsHolder() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		KvEntry written = lastOf(transact(KvOperation.set(key, "w", 2)));
		assertThat(written.modifyIndex()).isGreaterThan(locked.modifyIndex());
		assertThat(read(key))
			.isEqualTo(new KvEntry(key, "w", 2, session, written.createIndex(), written.modifyIndex()));
	}

	@Test
	void identicalWriteMovesNoIndex() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		transact(KvOperation.set(key("elsewhere"), "", 0));
		assertThat(lastOf(transact(KvOperation.lock(key, session, "v", 1)))).isEqualTo(locked);
		assertThat(read(key).modifyIndex()).isEqualTo(locked.modifyIndex());
		KvEntry rewritten = lastOf(transact(KvOperation.lock(key, session, "w", 1)));
		assertThat(rewritten.modifyIndex()).isGreaterThan(locked.modifyIndex());
		String plain = key("plain");
		KvEntry set = lastOf(transact(KvOperation.set(plain, "v", 1)));
		transact(KvOperation.set(key("elsewhere"), "x", 0));
		assertThat(lastOf(transact(KvOperation.set(plain, "v", 1)))).isEqualTo(set);
	}

	@Test
	void plainWriteOfTheSameToHeldKeyMovesItsIndexOnce() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		KvEntry first = lastOf(transact(KvOperation.set(key, "v", 1)));
		assertThat(first.modifyIndex()).isGreaterThan(locked.modifyIndex());
		assertThat(lastOf(transact(KvOperation.set(key, "v", 1)))).isEqualTo(first);
	}

	@Test
	void deleteRemovesHeldKeyAndAbsentKeysToo() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		assertThat(transact(KvOperation.deleteCas(key, locked.modifyIndex()))).isEqualTo(new Committed(List.of()));
		assertThat(this.client.read(key, SECONDS)).isEmpty();
		assertThat(transact(KvOperation.deleteCas(key, 3), KvOperation.delete(key)))
			.isEqualTo(new Committed(List.of()));
	}

	@Test
	void checksAloneAnswerWithTheEntries() {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", GREAT_FLAGS)));
		Committed outcome = (Committed) transact(KvOperation.checkSession(key, session),
				KvOperation.checkIndex(key, locked.modifyIndex()), KvOperation.checkNotExists(key("absent")));
		assertThat(outcome.results()).containsExactly(locked, locked);
	}

	@Test
	void rolledBackOperationsLeaveNoTrace() {
		String key = key("k");
		long index = lastOf(transact(KvOperation.set(key, "v", 1))).modifyIndex();
		transact(KvOperation.delete(key), KvOperation.set(key("l"), "", 0), KvOperation.checkNotExists(key),
				KvOperation.checkIndex(key("absent"), 1));
		assertThat(read(key)).isEqualTo(new KvEntry(key, "v", 1, null, index, index));
		assertThat(this.client.read(key("l"), SECONDS)).isEmpty();
	}

	@Test
	void checkInTransactionSeesTheIndexOfItsOwnWrites() {
		String key = key("k");
		long index = lastOf(transact(KvOperation.set(key, "v", 1))).modifyIndex();
		assertThat(reasons(transact(KvOperation.set(key, "w", 1), KvOperation.checkIndex(key, index))))
			.containsExactly(FailureReason.CHANGED);
		assertThat(transact(KvOperation.delete(key), KvOperation.checkNotExists(key))).isInstanceOf(Committed.class);
	}

	@Test
	void lockMayBeTakenTwiceByItsHolderButNotAfterItGaveItUp() {
		String session = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1), KvOperation.lock(key, session, "w", 1));
		assertThat(read(key).value()).isEqualTo("w");
		assertThat(
				reasons(transact(KvOperation.unlock(key, session, "x", 1), KvOperation.unlock(key, session, "y", 1))))
			.containsExactly(FailureReason.NOT_HELD);
		assertThat(read(key).session()).isEqualTo(session);
	}

	@ParameterizedTest
	@ValueSource(strings = { "a//b", "a/../b", "a/./b", "a/.." })
	void keyThatConsulWouldRedirectIsRefused(String name) {
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> this.client.read(key(name), SECONDS))
			.withMessageContaining("301");
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> this.client.read("/" + key(name), SECONDS))
			.withMessageContaining("301");
	}

	@Test
	void emptyKeyIsRefused() {
		assertThatExceptionOfType(ConsulRefusedException.class).isThrownBy(() -> transact(KvOperation.set("", "v", 0)));
	}

	@Test
	void lockDelayAboveAMinuteIsToldAsItWasGiven() {
		String session = session(Duration.ofSeconds(90));
		assertThat(renew(session))
			.isEqualTo(new RenewalOutcome.Renewed(Duration.ofSeconds(10), Duration.ofSeconds(90)));
	}

	@Test
	void lockDelayOutlivesTheDeletionOfItsKey() {
		String session = session(Duration.ofSeconds(30));
		String other = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		destroy(session);
		transact(KvOperation.delete(key));
		assertThat(reasons(transact(KvOperation.checkNotExists(key), KvOperation.lock(key, other, "w", 1))))
			.containsExactly(FailureReason.IN_LOCK_DELAY);
	}

	@Test
	void plainWriteIsNotStoppedByLockDelay() {
		String session = session(Duration.ofSeconds(30));
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		destroy(session);
		assertThat(transact(KvOperation.set(key, "w", 0))).isInstanceOf(Committed.class);
	}

	@Test
	void tooManyOperationsAreRefused() {
		KvOperation[] operations = new KvOperation[129];
		for (int i = 0; i < operations.length; i++) {
			operations[i] = KvOperation.checkNotExists(key("k" + i));
		}
		assertThatExceptionOfType(TransactionTooLargeException.class).isThrownBy(() -> transact(operations))
			.withMessageContaining("413")
			.withMessageContaining("too many operations")
			.satisfies((ex) -> assertThat(ex.maxOperations()).isIn(64, 128));
	}

	@Test
	void endOfSessionFreesItsKeysAndClosesThemForLockDelay() {
		String session = session(Duration.ofSeconds(30));
		String other = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		destroy(session);
		KvEntry free = read(key);
		assertThat(free.session()).isNull();
		assertThat(free.value()).isEqualTo("v");
		assertThat(reasons(transact(KvOperation.lock(key, other, "w", 1))))
			.containsExactly(FailureReason.IN_LOCK_DELAY);
		// It comes before all else, and hides it.
		assertThat(reasons(transact(KvOperation.checkIndex(key, 1), KvOperation.lock(key, session, "w", 1))))
			.containsExactly(FailureReason.IN_LOCK_DELAY);
	}

	@Test
	void withoutLockDelayKeyIsOpenAtOnceAfterTheEndOfItsSession() {
		String session = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		destroy(session);
		String other = session(Duration.ZERO);
		assertThat(lastOf(transact(KvOperation.lock(key, other, "w", 1))).session()).isEqualTo(other);
	}

	@Test
	void noLockDelayAfterRelease() {
		String session = session(Duration.ofSeconds(30));
		String other = session(Duration.ZERO);
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		transact(KvOperation.unlock(key, session, "v", 1));
		destroy(session);
		assertThat(lastOf(transact(KvOperation.lock(key, other, "w", 1))).session()).isEqualTo(other);
	}

	@Test
	void endOfSessionWithBehaviorDeleteRemovesItsKeys() {
		String session = this.client.createSession(new SessionRequest("test", Duration.ofSeconds(10), Duration.ZERO,
				SessionBehavior.DELETE, List.of(), List.of()));
		String key = key("k");
		transact(KvOperation.lock(key, session, "v", 1));
		destroy(session);
		assertThat(this.client.read(key, SECONDS)).isEmpty();
	}

	@Test
	void watchAnswersAtOnceForIndexZero() {
		String key = key("k");
		KvSnapshot absent = this.client.watch(key, 0, SECONDS);
		assertThat(absent.entry()).isNull();
		assertThat(absent.index()).isPositive();
		KvEntry entry = lastOf(transact(KvOperation.set(key, "v", 0)));
		KvSnapshot present = this.client.watch(key, 0, SECONDS);
		assertThat(present.index()).isEqualTo(entry.modifyIndex());
		assertThat(present.entry()).isEqualTo(read(key));
	}

	@Test
	void watchIsWokenByChangeAndByDeletion() throws Exception {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvSnapshot first = this.client.watch(key, 0, SECONDS);
		CompletableFuture<KvSnapshot> created = watching(key, first.index());
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		KvSnapshot second = created.get(60, TimeUnit.SECONDS);
		assertThat(second.entry()).isEqualTo(read(key));
		assertThat(second.index()).isEqualTo(locked.modifyIndex());
		CompletableFuture<KvSnapshot> deleted = watching(key, second.index());
		transact(KvOperation.delete(key));
		KvSnapshot third = deleted.get(60, TimeUnit.SECONDS);
		assertThat(third.entry()).isNull();
		assertThat(third.index()).isGreaterThan(second.index());
	}

	@Test
	void watchIsWokenByTheEndOfTheHolder() throws Exception {
		String session = session(Duration.ZERO);
		String key = key("k");
		KvEntry locked = lastOf(transact(KvOperation.lock(key, session, "v", 1)));
		CompletableFuture<KvSnapshot> freed = watching(key, locked.modifyIndex());
		destroy(session);
		KvEntry entry = freed.get(60, TimeUnit.SECONDS).entry();
		assertThat(entry).isNotNull();
		assertThat(entry.session()).isNull();
	}

	@Test
	void watchEndsWithItsWaitWhenNothingChanges() {
		String key = key("k");
		KvEntry entry = lastOf(transact(KvOperation.set(key, "v", 0)));
		KvSnapshot snapshot = PatientClient
			.answered(() -> this.client.watch(key, entry.modifyIndex(), Duration.ofMillis(100)));
		assertThat(snapshot.entry()).isEqualTo(read(key));
		assertThat(snapshot.index()).isEqualTo(entry.modifyIndex());
	}

	@Test
	void watchAnswersAtOnceWhenItsIndexIsPast() {
		String key = key("k");
		KvEntry first = lastOf(transact(KvOperation.set(key, "v", 0)));
		transact(KvOperation.set(key, "w", 0));
		KvEntry entry = this.client.watch(key, first.modifyIndex(), LONG).entry();
		assertThat(entry).isNotNull();
		assertThat(entry.value()).isEqualTo("w");
	}

	@Test
	void watchAnswersAtOnceWhenTheEntryHasGoneSince() {
		String key = key("k");
		KvEntry first = lastOf(transact(KvOperation.set(key, "v", 0)));
		transact(KvOperation.delete(key));
		assertThat(this.client.watch(key, first.modifyIndex(), LONG).entry()).isNull();
		transact(KvOperation.set(key("other"), "v", 0));
		assertThat(this.client.watch(key, first.modifyIndex(), LONG).entry()).isNull();
		KvEntry second = lastOf(transact(KvOperation.set(key, "w", 0)));
		transact(KvOperation.delete(key));
		assertThat(this.client.watch(key, second.modifyIndex(), LONG).entry()).isNull();
	}

	@Test
	void sessionWatchIsWokenByItsEnd() throws Exception {
		String session = session(Duration.ZERO);
		SessionSnapshot alive = this.client.watchSession(session, 0, SECONDS);
		assertThat(alive.visible()).isTrue();
		assertThat(alive.index()).isPositive();
		CompletableFuture<SessionSnapshot> ended = CompletableFuture.supplyAsync(() -> {
			SessionSnapshot snapshot = alive;
			while (snapshot.visible()) {
				snapshot = this.client.watchSession(session, snapshot.index(), Duration.ofSeconds(8));
			}
			return snapshot;
		});
		destroy(session);
		assertThat(ended.get(60, TimeUnit.SECONDS).index()).isGreaterThan(alive.index());
	}

	@Test
	void callsWithTheInterruptFlagSetFailAtOnceAndKeepIt() {
		Thread.currentThread().interrupt();
		String key = key("k");
		assertThatExceptionOfType(ConsulUnavailableException.class)
			.isThrownBy(() -> transact(KvOperation.set(key, "v", 0)))
			.withMessageContaining("interrupted");
		assertThat(Thread.interrupted()).isTrue();
		assertThat(this.client.read(key, SECONDS)).isEmpty();
	}

	@Test
	void interruptEndsWatch() throws Exception {
		String key = key("k");
		KvEntry entry = lastOf(transact(KvOperation.set(key, "v", 0)));
		CompletableFuture<Boolean> flag = new CompletableFuture<>();
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				this.client.watch(key, entry.modifyIndex(), LONG);
			}
			catch (RuntimeException ex) {
				failure.complete(ex);
			}
			flag.complete(Thread.currentThread().isInterrupted());
		});
		thread.start();
		TestThreads.awaitBlocked(thread);
		thread.interrupt();
		assertThat(failure.get(60, TimeUnit.SECONDS)).isInstanceOf(ConsulUnavailableException.class)
			.hasMessageContaining("interrupted");
		assertThat(flag.get(60, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void closeEndsCallsUnderWayAndRefusesNewOnes() throws Exception {
		String key = key("k");
		KvEntry entry = lastOf(transact(KvOperation.set(key, "v", 0)));
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				this.client.watch(key, entry.modifyIndex(), LONG);
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
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> this.client.list(this.prefix))
			.withMessageContaining("closed");
	}

	private RenewalOutcome renew(String session) {
		return PatientClient.answered(() -> this.client.renewSession(session));
	}

	private Optional<SessionInfo> info(String session) {
		return PatientClient.answered(() -> this.client.sessionInfo(session, SECONDS));
	}

	private void destroy(String session) {
		PatientClient.done(() -> this.client.destroySession(session));
	}

	private CompletableFuture<KvSnapshot> watching(String key, long index) {
		return CompletableFuture.supplyAsync(() -> this.client.watch(key, index, LONG));
	}

	private TransactionOutcome transact(KvOperation... operations) {
		return this.client.transact(List.of(operations), SECONDS);
	}

	private KvEntry read(String key) {
		return this.client.read(key, SECONDS).orElseThrow();
	}

	private String session(Duration lockDelay) {
		return this.client.createSession(new SessionRequest("test", Duration.ofSeconds(10), lockDelay,
				SessionBehavior.RELEASE, List.of(), List.of()));
	}

	private String key(String name) {
		return this.prefix + name;
	}

	private static KvEntry lastOf(TransactionOutcome outcome) {
		assertThat(outcome).isInstanceOf(Committed.class);
		List<KvEntry> results = ((Committed) outcome).results();
		return results.get(results.size() - 1);
	}

	private static RolledBack rolledBack(TransactionOutcome outcome) {
		assertThat(outcome).isInstanceOf(RolledBack.class);
		return (RolledBack) outcome;
	}

	private static List<FailureReason> reasons(TransactionOutcome outcome) {
		return rolledBack(outcome).failures().stream().map(Failure::reason).toList();
	}

}
