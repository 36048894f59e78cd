package io.github.consullock.annotation;

import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The examples of docs/reactive.md.
 */
class ReactiveExamplesTests {

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
		LockContext.closeWhenIdle(this.context);
	}

	@Test
	void anOrderIsLockedUntilItIsSent() throws Exception {
		assertThat(this.examples.ship(1).get()).isEqualTo("sent 1");
		assertThat(this.registry.events).containsExactly("acquire locks/orders/1", "release locks/orders/1");
	}

	@Test
	void anOrderIsLockedWhileItIsCancelled() {
		assertThat(this.examples.cancel(2).block()).isEqualTo("cancelled 2 under locks/orders/2");
	}

	static class Examples {

		private final Carrier carrier = (id) -> CompletableFuture.supplyAsync(() -> "sent " + id);

		// tag::future[]
		@DistributedLock("orders/#{#id}")
		public CompletableFuture<String> ship(long id) {
			return this.carrier.send(id);
		}
		// end::future[]

		// tag::mono[]
		@DistributedLock("orders/#{#id}")
		public Mono<String> cancel(long id) {
			return ReactiveLockHandle.current().map((handle) -> "cancelled " + id + " under " + handle.key());
		}
		// end::mono[]

	}

	interface Carrier {

		CompletableFuture<String> send(long id);

	}

}
