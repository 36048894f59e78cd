package io.github.consullock.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.SessionBehavior;
import io.github.consullock.consul.RenewalOutcome.Renewed;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNoException;

class SessionSettingsTests {

	@Test
	void defaultsAreThoseOfTheDocumentation() {
		SessionSettings defaults = SessionSettings.DEFAULTS;
		assertThat(defaults.ttl()).isEqualTo(Duration.ofSeconds(25));
		assertThat(defaults.lockDelay()).isEqualTo(Duration.ofSeconds(25));
		assertThat(defaults.behavior()).isEqualTo(SessionBehavior.RELEASE);
		assertThat(defaults.nodeChecks()).isEmpty();
		assertThat(defaults.serviceChecks()).isEmpty();
		assertThat(defaults.safetyMargin()).isEqualTo(Duration.ofMillis(500));
		assertThat(defaults.allowUnsafe()).isFalse();
	}

	@Test
	void requestSaysWhatTheSettingsSay() {
		SessionSettings settings = new SessionSettings("orders", Duration.ofSeconds(10), Duration.ofSeconds(20),
				SessionBehavior.RELEASE, List.of("serfHealth"), List.of("service:orders"), Duration.ZERO, false);
		var request = settings.toRequest();
		assertThat(request.name()).isEqualTo("orders");
		assertThat(request.ttl()).isEqualTo(Duration.ofSeconds(10));
		assertThat(request.lockDelay()).isEqualTo(Duration.ofSeconds(20));
		assertThat(request.behavior()).isEqualTo(SessionBehavior.RELEASE);
		assertThat(request.nodeChecks()).containsExactly("serfHealth");
		assertThat(request.serviceChecks()).containsExactly("service:orders");
	}

	@Test
	void checksAreCopied() {
		List<String> checks = new ArrayList<>(List.of("serfHealth"));
		SessionSettings settings = new SessionSettings("x", Duration.ofSeconds(10), Duration.ofSeconds(10),
				SessionBehavior.RELEASE, checks, checks, Duration.ZERO, false);
		checks.clear();
		assertThat(settings.nodeChecks()).containsExactly("serfHealth");
		assertThat(settings.serviceChecks()).containsExactly("serfHealth");
	}

	@Test
	void ttlOutOfConsulsBoundsIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> times("PT9.999S", "PT25S"))
			.withMessageContaining("session.ttl")
			.withMessageContaining("9999ms");
		assertThatIllegalArgumentException().isThrownBy(() -> times("PT24H1S", "PT60S"))
			.withMessageContaining("session.ttl");
		assertThatNoException().isThrownBy(() -> times("PT10S", "PT10S"));
		assertThatNoException().isThrownBy(() -> unsafe().withTimes(Duration.ofHours(24), Duration.ZERO));
	}

	@Test
	void lockDelayOutOfConsulsBoundsIsRefusedEvenWhereUnsafeIsAllowed() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> unsafe().withTimes(Duration.ofSeconds(10), Duration.ofSeconds(61)))
			.withMessageContaining("session.lock-delay")
			.withMessageContaining("61s");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> unsafe().withTimes(Duration.ofSeconds(10), Duration.ofMillis(-1)));
	}

	@Test
	void lockDelayBelowTheTtlNeedsToBeAllowed() {
		assertThatIllegalArgumentException().isThrownBy(() -> times("PT25S", "PT24S"))
			.withMessageContaining("session.lock-delay (24s)")
			.withMessageContaining("session.ttl (25s)")
			.withMessageContaining("allow-unsafe");
		assertThatNoException().isThrownBy(() -> unsafe().withTimes(Duration.ofSeconds(25), Duration.ZERO));
		assertThatIllegalArgumentException()
			.isThrownBy(() -> unsafe().withTimes(Duration.ofSeconds(25), Duration.ofSeconds(5)).withAllowUnsafe(false));
	}

	@Test
	void behaviorDeleteNeedsToBeAllowed() {
		assertThatIllegalArgumentException().isThrownBy(() -> deleting(false))
			.withMessageContaining("session.behavior")
			.withMessageContaining("allow-unsafe");
		assertThat(deleting(true).behavior()).isEqualTo(SessionBehavior.DELETE);
	}

	@Test
	void marginIsBetweenNothingAndAQuarterOfTheTtl() {
		assertThatIllegalArgumentException().isThrownBy(() -> margin(Duration.ofMillis(-1)))
			.withMessageContaining("session.safety-margin");
		assertThatIllegalArgumentException().isThrownBy(() -> margin(Duration.ofMillis(2501)))
			.withMessageContaining("session.safety-margin")
			.withMessageContaining("2501ms");
		assertThatNoException().isThrownBy(() -> margin(Duration.ZERO));
		assertThatNoException().isThrownBy(() -> margin(Duration.ofMillis(2500)));
	}

	@Test
	void changedCopiesKeepTheRest() {
		SessionSettings named = deleting(true).withName("other");
		assertThat(named.name()).isEqualTo("other");
		assertThat(named.behavior()).isEqualTo(SessionBehavior.DELETE);
		assertThat(named.allowUnsafe()).isTrue();
		assertThat(named.withTimes(Duration.ofSeconds(12), Duration.ofSeconds(13)).name()).isEqualTo("other");
	}

	@Test
	void settingsThatTheServerDidNotTakeAreRefused() {
		SessionSettings settings = SessionSettings.DEFAULTS;
		assertThatNoException()
			.isThrownBy(() -> settings.checkTaken(new Renewed(settings.ttl(), settings.lockDelay())));
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> settings.checkTaken(new Renewed(Duration.ZERO, settings.lockDelay())))
			.withMessageContaining("wanted a TTL of 25s")
			.withMessageContaining("got 0s");
		assertThatExceptionOfType(ConsulRefusedException.class)
			.isThrownBy(() -> settings.checkTaken(new Renewed(settings.ttl(), Duration.ofSeconds(15))))
			.withMessageContaining("15s");
	}

	private static SessionSettings times(String ttl, String lockDelay) {
		return SessionSettings.DEFAULTS.withTimes(Duration.parse(ttl), Duration.parse(lockDelay));
	}

	private static SessionSettings unsafe() {
		return SessionSettings.DEFAULTS.withAllowUnsafe(true);
	}

	private static SessionSettings margin(Duration margin) {
		return new SessionSettings("x", Duration.ofSeconds(10), Duration.ofSeconds(10), SessionBehavior.RELEASE,
				List.of(), List.of(), margin, false);
	}

	private static SessionSettings deleting(boolean allowUnsafe) {
		return new SessionSettings("x", Duration.ofSeconds(10), Duration.ofSeconds(10), SessionBehavior.DELETE,
				List.of(), List.of(), Duration.ZERO, allowUnsafe);
	}

}
