package io.github.consullock.test.orders;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.test.LocalLocks;
import io.github.consullock.test.LockLossSimulator;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.jdbc.test.autoconfigure.JdbcTest;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A slice with a transaction around each test.
 */
@JdbcTest
@LocalLocks
@Import(JdbcSliceTests.Orders.class)
class JdbcSliceTests {

	@Test
	void aRepositoryLocks(@Autowired Orders orders, @Autowired LockLossSimulator locks) {
		assertThat(orders.number("42")).isEqualTo("locks/orders/42");
		// Such a test runs in a transaction, which keeps the lock until it completes.
		assertThat(locks.heldKeys()).containsExactly("orders/42");
	}

	static class Orders {

		private final JdbcClient jdbc;

		Orders(JdbcClient jdbc) {
			this.jdbc = jdbc;
		}

		@DistributedLock("orders/#{#order}")
		String number(String order) {
			return this.jdbc.sql("select cast(? as varchar)")
				.param(LockHandle.current().key())
				.query(String.class)
				.single();
		}

	}

}
