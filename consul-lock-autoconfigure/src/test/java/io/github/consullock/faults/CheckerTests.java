package io.github.consullock.faults;

import java.time.Duration;

import io.github.consullock.faults.History.Held;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Histories that are to be refused, and such that are not.
 */
class CheckerTests {

	private static final long SECOND = 1_000_000_000L;

	private final Checker checker = new Checker(Duration.ofSeconds(10), Duration.ofSeconds(1));

	private final History history = new History();

	@Test
	void holdsOneAfterTheOtherAreAsTheyShouldBe() {
		hold("a", "k", 1, 0, 5);
		hold("b", "k", 2, 5, 7);
		hold("a", "k", 9, 8, 9);
		hold("b", "other", 3, 0, 9);
		assertThat(this.checker.violationsIn(this.history)).isEmpty();
	}

	@Test
	void twoAtOnceAreFound() {
		hold("a", "k", 1, 0, 5);
		hold("b", "k", 2, 4, 7);
		assertFound("'k' was held by a with token 1 and by b with token 2 at once, for 1000 ms");
	}

	@Test
	void oneWithinAnotherIsFoundAndWhoComesAfterThatOneAsWell() {
		hold("a", "k", 1, 0, 9);
		hold("b", "k", 2, 1, 2);
		hold("c", "k", 3, 3, 4);
		assertThat(this.checker.violationsIn(this.history)).hasSize(2).allMatch((it) -> it.contains("held by a"));
	}

	@Test
	void aHoldWithoutAnEndIsThereToTheEnd() {
		this.history.acquired("a", "k", 1, 0);
		hold("b", "k", 2, 100, 101);
		assertFound("at once, for 1000 ms");
	}

	@Test
	void aTokenThatDoesNotRiseIsFound() {
		hold("a", "k", 2, 0, 1);
		hold("b", "k", 2, 1, 2);
		assertFound("'k' was acquired by b with token 2 after token 2");
	}

	@Test
	void aTokenThatFallsIsFoundThoughAnotherRoseBetween() {
		hold("a", "k", 5, 0, 1);
		hold("b", "k", 7, 1, 2);
		hold("c", "k", 6, 2, 3);
		assertFound("'k' was acquired by c with token 6 after token 7");
	}

	@Test
	void aHolderThatBelievesLongerThanItMayIsFound() {
		hold("a", "k", 1, 0, 6).hasDeadline(4 * SECOND);
		assertFound("'k' was taken for held by a with token 1 after its deadline, for 2000 ms");
	}

	@Test
	void aHolderThatIsNeverToldIsFound() {
		this.history.acquired("a", "k", 1, 0).hasDeadline(4 * SECOND);
		assertFound("after its deadline, to the end");
	}

	@Test
	void aHolderThatLooksALittleLateIsNone() {
		hold("a", "k", 1, 0, 5).hasDeadline(4 * SECOND);
		assertThat(this.checker.violationsIn(this.history)).isEmpty();
	}

	@Test
	void whoComesBeforeLockDelayIsOverIsFound() {
		hold("a", "k", 1, 0, 5);
		this.history.sessionEnded("k", 1, 5 * SECOND);
		hold("b", "k", 2, 14, 15);
		assertFound("'k' was acquired by b with token 2 9000 ms after the session of token 1");
	}

	@Test
	void whoComesAfterItOrToAnotherKeyOrCameBeforeIsNone() {
		hold("c", "k", 1, 0, 1);
		hold("a", "k", 2, 2, 5);
		this.history.sessionEnded("k", 2, 5 * SECOND);
		hold("b", "other", 3, 6, 7);
		hold("b", "k", 4, 15, 16);
		assertThat(this.checker.violationsIn(this.history)).isEmpty();
	}

	@Test
	void aLateWriteThatIsAcceptedIsFound() {
		this.history.wrote("k", 1, true);
		this.history.wrote("k", 3, true);
		this.history.wrote("k", 2, true);
		assertFound("What 'k' protects took a write with token 2 after one with 3");
	}

	@Test
	void aLateWriteThatIsRefusedIsNone() {
		this.history.wrote("k", 3, true);
		this.history.wrote("k", 2, false);
		this.history.wrote("other", 2, true);
		this.history.wrote("k", 3, true);
		assertThat(this.checker.violationsIn(this.history)).isEmpty();
	}

	private Held hold(String node, String key, long token, long from, long to) {
		Held held = this.history.acquired(node, key, token, from * SECOND);
		held.endsAt(to * SECOND);
		return held;
	}

	private void assertFound(String violation) {
		assertThat(this.checker.violationsIn(this.history)).singleElement().asString().contains(violation);
	}

}
