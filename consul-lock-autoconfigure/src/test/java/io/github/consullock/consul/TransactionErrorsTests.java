package io.github.consullock.consul;

import io.github.consullock.consul.TransactionOutcome.FailureReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class TransactionErrorsTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
			failed index check for key "k", current modify index 16 != 1         | CHANGED
			failed session check for key "k", current session "a" != "b"         | CHANGED
			failed to delete key "k", index is stale                             | CHANGED
			key "k" exists                                                       | EXISTS
			failed to lock key "k", lock is already held                         | HELD_BY_ANOTHER
			failed to lock key "k" due to lock delay                             | IN_LOCK_DELAY
			failed to check index, key "absent" doesn't exist                    | ABSENT
			failed to check session, key "absent" doesn't exist                  | ABSENT
			failed to unlock key "k", lock isn't held, or is held by another session | NOT_HELD
			invalid session "12345678-0000-0000-0000-000000000000"               | SESSION_INVALID
			""")
	void wordsOfConsulAreUnderstood(String what, FailureReason reason) {
		assertThat(TransactionErrors.reasonOf(what)).isEqualTo(reason);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '\u0001', textBlock = """
			failed to lock key "key \\"a\\" exists due to lock delay", lock is already held | HELD_BY_ANOTHER
			failed to lock key "k, lock is already held" due to lock delay                | IN_LOCK_DELAY
			key "failed to lock key, lock is already held" exists                         | EXISTS
			failed to check index, key "key exists" doesn't exist                         | ABSENT
			failed index check for key "Permission denied", current modify index 2 != 1   | CHANGED
			""")
	void keyThatReadsLikeOneOfThemMisleadsNobody(String what, FailureReason reason) {
		assertThat(TransactionErrors.reasonOf(what)).isEqualTo(reason);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "failed to lock key \"k\", moon is full", "unknown KV verb \"jump\"",
			"failed to get key \"k\"", "Permission denied" })
	void otherWordsAreNotGuessed(String what) {
		assertThat(TransactionErrors.reasonOf(what)).isNull();
	}

	@Test
	void refusalsOfOldAndNewVersionsAreRecognised() {
		assertThat(TransactionErrors.isPermissionDenied("Permission denied")).isTrue();
		assertThat(TransactionErrors
			.isPermissionDenied("Permission denied: token with AccessorID 'a' lacks permission 'key:write' on \"k\""))
			.isTrue();
		assertThat(TransactionErrors.isPermissionDenied("rpc error making call: ACL not found")).isTrue();
		assertThat(TransactionErrors.isPermissionDenied("unknown KV verb")).isFalse();
	}

}
