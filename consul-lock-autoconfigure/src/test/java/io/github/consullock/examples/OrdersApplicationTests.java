package io.github.consullock.examples;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServerTestConfiguration;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The application on a real Consul.
 */
// tag::class[]
@SpringBootTest(properties = { "spring.application.name=orders", "consul.lock.waiting.timeout=1m" })
@Import(ConsulServerTestConfiguration.class)
class OrdersApplicationTests {

	@Test
	void anOrderIsLocked(@Autowired ConsulLockRegistry registry) {
		try (LockHandle handle = registry.obtain("orders/42").acquire()) {
			assertThat(handle.isHeld()).isTrue();
		}
	}

}
// end::class[]
