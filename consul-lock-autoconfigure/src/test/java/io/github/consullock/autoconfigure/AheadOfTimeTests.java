package io.github.consullock.autoconfigure;

import io.github.consullock.autoconfigure.ConditionalOnLocking.Locking;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Conditions that were evaluated when the application was built, under other settings
 * than it is started with.
 */
class AheadOfTimeTests {

	private final MockEnvironment environment = new MockEnvironment();

	@ParameterizedTest
	@CsvSource({ "CONSUL, consul.lock.mode, local", "LOCAL, consul.lock.mode, consul",
			"CONSUL, consul.lock.enabled, false", "LOCAL, consul.lock.enabled, off", "OFF, consul.lock.enabled, true" })
	void otherSettingsThanThoseOfTheBuildAreRefused(Locking built, String property, String value) {
		this.environment.setProperty(property, value);
		assertThatExceptionOfType(InvalidLockPropertyException.class).isThrownBy(() -> create(built))
			.withMessageContaining(property)
			.withMessageContaining("build it again")
			.satisfies((ex) -> assertThat(ex.property()).isEqualTo(property));
	}

	@Test
	void theSettingsOfTheBuildAreAccepted() {
		assertThatCode(() -> create(Locking.CONSUL)).doesNotThrowAnyException();
		this.environment.setProperty("consul.lock.mode", "LOCAL");
		assertThatCode(() -> create(Locking.LOCAL)).doesNotThrowAnyException();
		this.environment.setProperty("consul.lock.enabled", "false");
		assertThatCode(() -> create(Locking.OFF)).doesNotThrowAnyException();
	}

	private Object create(Locking built) {
		return switch (built) {
			case CONSUL -> new LockClientConfiguration.Remote(this.environment);
			case LOCAL -> new LocalLockConfiguration(this.environment);
			case OFF -> ConsulLockAutoConfiguration.Disabled
				.disabledLockingPostProcessor(new DefaultListableBeanFactory(), this.environment);
		};
	}

}
