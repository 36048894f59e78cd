package io.github.consullock.consul;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class GoDurationTests {

	@ParameterizedTest
	@CsvSource({ "25s,PT25S", "12500ms,PT12.5S", "1m30s,PT1M30S", "24h,PT24H", "1.5h,PT1H30M", "0s,PT0S", "0,PT0S",
			"'',PT0S", "1h0m0.5s,PT1H0.5S", "250µs,PT0.00025S", "7ns,PT0.000000007S", ".5s,PT0.5S" })
	void readsWhatGoWrites(String text, Duration duration) {
		assertThat(GoDuration.parse(text)).isEqualTo(duration);
	}

	@ParameterizedTest
	@ValueSource(strings = { "25", "s", "25s ", "x25s", "25sx", "1h 5m", "-5s" })
	void refusesWhatIsNone(String text) {
		assertThatIllegalArgumentException().isThrownBy(() -> GoDuration.parse(text)).withMessageContaining(text);
	}

	@Test
	void writesWhatGoReads() {
		assertThat(GoDuration.format(Duration.ofMinutes(2))).isEqualTo("120s");
		assertThat(GoDuration.format(Duration.ofMillis(1500))).isEqualTo("1500ms");
		assertThat(GoDuration.format(Duration.ZERO)).isEqualTo("0s");
	}

}
