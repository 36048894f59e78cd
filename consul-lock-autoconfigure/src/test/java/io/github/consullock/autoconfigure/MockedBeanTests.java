package io.github.consullock.autoconfigure;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.context.bean.override.mockito.MockitoBean;
import org.springframework.test.context.bean.override.mockito.MockitoSpyBean;
import org.springframework.test.context.junit.jupiter.SpringJUnitConfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.BDDMockito.given;
import static org.mockito.Mockito.verify;

/**
 * Tests of users that replace an annotated bean: a mock has nothing to lock.
 */
class MockedBeanTests {

	@Nested
	@SpringJUnitConfig(Application.class)
	@TestPropertySource(properties = { "consul.lock.mode=local", "consul.lock.waiting.timeout=1m" })
	class Enabled {

		@MockitoBean
		private Orders mocked;

		@MockitoSpyBean
		private Bills spied;

		@Autowired
		private Bills bills;

		@Test
		void theMockIsUsedAndTheSpyIsLocked() {
			given(this.mocked.ship()).willReturn("mocked");
			assertThat(this.mocked.ship()).isEqualTo("mocked");
			assertThat(this.bills.pay()).isEqualTo("locks/bills");
			verify(this.spied).pay();
		}

	}

	@Nested
	@SpringJUnitConfig(Mockable.class)
	@TestPropertySource(properties = "consul.lock.enabled=false")
	class Disabled {

		@MockitoBean
		private Orders mocked;

		@Test
		void theMockMayBeThere() {
			assertThat(this.mocked.ship()).isNull();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration(ConsulLockAutoConfiguration.class)
	static class Mockable {

		@Bean
		Orders orders() {
			return new Orders();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Application extends Mockable {

		@Bean
		Bills bills() {
			return new Bills();
		}

	}

	static class Orders {

		@DistributedLock("orders")
		String ship() {
			return LockHandle.current().key();
		}

	}

	static class Bills {

		@DistributedLock("bills")
		String pay() {
			return LockHandle.current().key();
		}

	}

}
