package io.github.consullock.interop;

import java.util.Map;

import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class GoBuildTests {

	@Test
	void withoutGoTestsAreSkippedAndSayWhy() {
		assertThatExceptionOfType(TestAbortedException.class)
			.isThrownBy(() -> GoBuild.doWithout("there is none", Map.of()))
			.withMessageContaining("there is none");
	}

	@Test
	void inCiTheyFail() {
		assertThat(GoBuild.doWithout("there is none", Map.of("CONSUL_LOCK_CI_RUN", "1")))
			.hasMessageContaining("there is none");
	}

	@Test
	void inCiWhereGoCannotBeHadTheyAreSkippedAndSayWhy() {
		assertThatExceptionOfType(TestAbortedException.class)
			.isThrownBy(() -> GoBuild.doWithout("there is none",
					Map.of("CONSUL_LOCK_CI_RUN", "1", "CONSUL_LOCK_NO_GO", "no root")))
			.withMessageContaining("no root");
	}

}
