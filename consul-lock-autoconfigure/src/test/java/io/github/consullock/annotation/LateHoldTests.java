package io.github.consullock.annotation;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;

import io.github.consullock.LockHandle;
import io.github.consullock.consul.InMemoryConsulClient;
import io.github.consullock.lock.ConsulLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A call that is given up in the very moment in which its lock is acquired.
 */
@Timeout(180)
class LateHoldTests {

	private final InMemoryConsulClient client = new InMemoryConsulClient();

	private final ConsulLockRegistry registry = ConsulLockRegistry.builder(this.client)
		.shutdownTimeout(Duration.ZERO)
		.build();

	private final CompletableFuture<LockHandle> acquired = new CompletableFuture<>();

	private final Acquisition acquisition = new Acquisition();

	private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

	@AfterEach
	void nothingIsLeft() {
		await().until(() -> this.registry.heldLocks().isEmpty());
		this.context.close();
		this.registry.close();
		this.client.close();
	}

	@ParameterizedTest
	@EnumSource
	void keepsNobodyOut(Kind kind) throws Exception {
		this.context.register(LockContext.Locking.class, Methods.class);
		this.context.registerBean(ConsulLockRegistry.class, this::registryOfLateHolds);
		this.context.refresh();
		Methods methods = this.context.getBean(Methods.class);
		AtomicBoolean ran = new AtomicBoolean();
		CompletableFuture<String> result = switch (kind) {
			case FUTURE -> methods.future(ran);
			case MONO -> methods.mono(ran).toFuture();
			case FLUX -> methods.flux(ran).next().toFuture();
		};
		LockHandle handle = this.acquired.get(1, TimeUnit.MINUTES);
		result.cancel(true);
		assertThat(this.acquisition.cancels).isTrue();
		this.acquisition.complete(handle);
		assertThat(this.registry.obtain("work").tryAcquire(Duration.ofMinutes(1)))
			.hasValueSatisfying(LockHandle::close);
		assertThat(ran).isFalse();
	}

	private ConsulLockRegistry registryOfLateHolds() {
		return changing(ConsulLockRegistry.class, this.registry, "obtain",
				(lock) -> changing(ConsulLock.class, (ConsulLock) lock, "acquireAsync", this::late));
	}

	private Object late(Object future) {
		((CompletableFuture<?>) future).thenAccept((handle) -> this.acquired.complete((LockHandle) handle));
		return this.acquisition;
	}

	private static <T> T changing(Class<T> type, T target, String method, UnaryOperator<Object> result) {
		return type
			.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] { type }, (proxy, called, args) -> {
				Object returned = called.invoke(target, args);
				return called.getName().equals(method) ? result.apply(returned) : returned;
			}));
	}

	/** What a method returns. */
	enum Kind {

		FUTURE, MONO, FLUX

	}

	/** Complete when it is cancelled, as far as the one who cancels can tell. */
	private static final class Acquisition extends CompletableFuture<LockHandle> {

		private volatile boolean cancels;

		@Override
		public boolean cancel(boolean mayInterruptIfRunning) {
			this.cancels = true;
			return false;
		}

	}

	static class Methods {

		@DistributedLock(key = "work", holdAtLeast = "10m")
		public CompletableFuture<String> future(AtomicBoolean ran) {
			ran.set(true);
			return CompletableFuture.completedFuture("ran");
		}

		@DistributedLock(key = "work", holdAtLeast = "10m")
		public Mono<String> mono(AtomicBoolean ran) {
			ran.set(true);
			return Mono.just("ran");
		}

		@DistributedLock(key = "work", holdAtLeast = "10m")
		public Flux<String> flux(AtomicBoolean ran) {
			ran.set(true);
			return Flux.just("ran");
		}

	}

}
