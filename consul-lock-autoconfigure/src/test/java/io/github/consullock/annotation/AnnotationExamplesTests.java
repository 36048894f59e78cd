package io.github.consullock.annotation;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.annotation.AliasFor;
import org.springframework.scheduling.annotation.Scheduled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The examples of docs/annotation.md.
 */
class AnnotationExamplesTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Examples examples;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Examples.class);
		this.registry = LockContext.registry(this.context);
		this.examples = this.context.getBean(Examples.class);
	}

	@AfterEach
	void stop() {
		assertThat(this.registry.isFree()).isTrue();
		this.context.close();
	}

	@Test
	void anOrderIsLocked() {
		this.examples.ship(42);
		assertThat(this.examples.log()).containsExactly("shipped 42 under locks/orders/42");
	}

	@Test
	void bothAccountsOfATransferAreLocked() {
		this.examples.transfer(2, 1, 5);
		assertThat(this.examples.log()).containsExactly("5 from 2 to 1 under [locks/accounts/1, locks/accounts/2]");
	}

	@Test
	void allAccountsOfACollectionAreLocked() {
		this.examples.close(List.of(3L, 4L));
		assertThat(this.examples.log()).containsExactly("closed under [locks/accounts/3, locks/accounts/4]");
	}

	@Test
	void threeMayRunAtOnce() {
		for (int i = 0; i < 3; i++) {
			this.registry.semaphore("reports", 3).acquire();
		}
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(this.examples::render);
		this.registry.heldLocks().forEach(LockHandle::close);
		this.examples.render();
		assertThat(this.examples.log()).containsExactly("rendered");
	}

	@Test
	void theFallbackAnswersWhileAnotherHolds() {
		assertThat(this.examples.stock("a")).isEqualTo(7);
		try (LockHandle other = this.registry.obtain("stock/a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.examples.stock("a")).isEqualTo(-1);
		}
		assertThat(this.examples.log()).containsExactly("held by somebody");
	}

	@Test
	void theHandleIsPassedIn() {
		this.examples.export("a", null);
		assertThat(this.examples.log()).containsExactly("token 1, token 1");
	}

	@Test
	void holdTimesAreAsked() {
		this.examples.report();
		LockOptions options = this.registry.lastObtained();
		assertThat(options.holdAtLeast()).isEqualTo(Duration.ofSeconds(30));
		assertThat(options.maxHold()).isEqualTo(Duration.ofMinutes(10));
		try (LockHandle other = this.registry.obtain("reports/daily").acquire()) {
			assertThat(other.isHeld()).isTrue();
			this.examples.report();
		}
		assertThat(this.examples.log()).containsExactly("reported");
	}

	@Test
	void anAnnotationOfItsOwnPassesItsAttributesOn() {
		this.examples.renew("a");
		LockOptions options = this.registry.lastObtained();
		assertThat(options.key()).isEqualTo("tenants/a");
		assertThat(options.waitTime()).isEqualTo(Duration.ofSeconds(2));
		assertThat(options.maxHold()).isEqualTo(Duration.ofMinutes(1));
	}

	// tag::composed[]
	@Target(ElementType.METHOD)
	@Retention(RetentionPolicy.RUNTIME)
	@DistributedLock(key = "tenants/#{#tenant}", maxHold = "1m")
	@interface OnePerTenant {

		@AliasFor(annotation = DistributedLock.class)
		String waitTime() default "0s";

	}
	// end::composed[]

	static class Examples {

		private final List<String> log = new ArrayList<>();

		List<String> log() {
			return this.log;
		}

		// tag::first[]
		@DistributedLock("orders/#{#id}")
		public void ship(long id) {
			this.log.add("shipped " + id + " under " + LockHandle.current().key());
		}
		// end::first[]

		// tag::keys[]
		@DistributedLock(keys = { "accounts/#{#from}", "accounts/#{#to}" })
		public void transfer(long from, long to, long amount) {
			book(from, to, amount);
		}

		@DistributedLock(keys = "accounts/#{#ids}")
		public void close(Collection<Long> ids) {
			closeAll(ids);
		}
		// end::keys[]

		// tag::limit[]
		@DistributedLock(key = "reports", limit = 3)
		public void render() {
			this.log.add("rendered");
		}
		// end::limit[]

		// tag::fallback[]
		@DistributedLock(key = "stock/#{#item}", waitTime = "0s", fallback = "unknownStock")
		public int stock(String item) {
			return count(item);
		}

		int unknownStock(String item, LockNotAcquiredException reason) {
			this.log.add(reason.getMessage());
			return -1;
		}
		// end::fallback[]

		// tag::handle[]
		@DistributedLock("exports/#{#name}")
		public void export(String name, @Nullable LockHandle handle) {
			write(name, handle.fencingToken());
		}
		// end::handle[]

		// tag::scheduled[]
		@Scheduled(cron = "0 0 3 * * *")
		@DistributedLock(key = "reports/daily", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP,
				holdAtLeast = "30s", maxHold = "10m")
		public void report() {
			this.log.add("reported");
		}
		// end::scheduled[]

		// tag::composed-use[]
		@OnePerTenant(waitTime = "2s")
		public void renew(String tenant) {
			this.log.add("renewed " + tenant);
		}
		// end::composed-use[]

		private void book(long from, long to, long amount) {
			this.log.add(amount + " from " + from + " to " + to + " under " + LockHandle.current().keys());
		}

		private void closeAll(Collection<Long> ids) {
			this.log.add("closed under " + LockHandle.current().keys());
		}

		private int count(String item) {
			return 7;
		}

		private void write(String name, long token) {
			this.log.add("token " + token + ", token " + LockHandle.current().fencingToken());
		}

	}

}
