package io.github.consullock.annotation;

import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The examples of docs/transactions.md.
 */
class TransactionExamplesTests {

	private final AnnotationConfigApplicationContext context = LockContext.start(Transactions.class, Stock.class,
			Orders.class);

	private final List<String> events = LockContext.registry(this.context).events;

	private final Orders orders = this.context.getBean(Orders.class);

	@AfterEach
	void stop() {
		assertThat(LockContext.registry(this.context).isFree()).isTrue();
		this.context.close();
	}

	@Test
	void aLockIsAroundTheTransactionOfItsMethod() {
		this.orders.ship(42);
		assertThat(this.events).containsExactly("acquire locks/orders/42", "begin", "shipped 42", "commit",
				"release locks/orders/42");
	}

	@Test
	void aLockWithinATransactionIsReleasedAfterTheCommit() {
		this.orders.order("chair");
		assertThat(this.events).containsExactly("begin", "acquire locks/items/chair", "took chair", "charged for chair",
				"commit", "release locks/items/chair");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableTransactionManagement
	static class Transactions {

		@Bean
		PlatformTransactionManager transactionManager(FakeLockRegistry registry) {
			return new RecordingTransactions(registry.events);
		}

	}

	static class Stock {

		private final List<String> events;

		Stock(FakeLockRegistry registry) {
			this.events = registry.events;
		}

		@DistributedLock("items/#{#item}")
		public void take(String item) {
			this.events.add("took " + item);
		}

	}

	static class Orders {

		private final List<String> events;

		private final Stock stock;

		Orders(FakeLockRegistry registry, Stock stock) {
			this.events = registry.events;
			this.stock = stock;
		}

		// tag::around[]
		@DistributedLock("orders/#{#id}")
		@Transactional
		public void ship(long id) {
			write("shipped " + id);
		}
		// end::around[]

		// tag::within[]
		@Transactional
		public void order(String item) {
			this.stock.take(item); // @DistributedLock("items/#{#item}")
			write("charged for " + item);
			// After the return: commit, then release.
		}
		// end::within[]

		private void write(String text) {
			this.events.add(text);
		}

	}

}
