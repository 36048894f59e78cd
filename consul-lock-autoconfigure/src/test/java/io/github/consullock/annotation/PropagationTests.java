package io.github.consullock.annotation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import io.github.consullock.CurrentLockHandle;
import io.github.consullock.LockHandle;
import io.micrometer.context.ContextRegistry;
import io.micrometer.context.ContextSnapshotFactory;
import org.aopalliance.intercept.MethodInterceptor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

import org.springframework.aop.Advisor;
import org.springframework.aop.interceptor.ExposeInvocationInterceptor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.NameMatchMethodPointcut;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * What of a caller is there when the body starts on another thread.
 */
@Timeout(120)
class PropagationTests {

	private static final ThreadLocal<String> TENANT = new ThreadLocal<>();

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Tenants tenants;

	@BeforeEach
	void start() {
		ContextRegistry.getInstance().registerThreadLocalAccessor("tenant", TENANT);
		this.context = LockContext.start(Tenants.class);
		this.registry = LockContext.registry(this.context);
		this.tenants = this.context.getBean(Tenants.class);
	}

	@AfterEach
	void leaveNothingBehind() {
		ContextRegistry.getInstance().removeThreadLocalAccessor("tenant");
		Hooks.disableAutomaticContextPropagation();
		TENANT.remove();
		this.context.close();
	}

	@Test
	void whatIsRegisteredIsThereInTheMethodAndNotAfterIt() throws Exception {
		TENANT.set("mine");
		assertThat(this.tenants.future(() -> CompletableFuture.completedFuture(TENANT.get())).get()).isEqualTo("mine");
		assertThat(this.tenants.mono(() -> Mono.just(TENANT.get())).block()).isEqualTo("mine");
		assertThat(this.tenants.mono(() -> Mono.just(TENANT.get()))
			.contextWrite((context) -> context.put("tenant", "of the context"))
			.block()).isEqualTo("of the context");
	}

	@Test
	void theHoldOfTheCallerDoesNotComeAlong() throws Exception {
		this.registry.events.clear();
		List<String> keys = this.tenants.outer(() -> this.tenants.future(() -> {
			List<String> found = new ArrayList<>();
			CurrentLockHandle.find((handle) -> !found.add(handle.key()));
			return CompletableFuture.completedFuture(found);
		}).join());
		assertThat(keys).containsExactly("locks/a");
	}

	@Test
	void withAutomaticPropagationOperatorsFindTheCurrentHold() {
		Hooks.enableAutomaticContextPropagation();
		assertThat(this.tenants.mono(
				() -> Mono.delay(Duration.ofMillis(1), Schedulers.parallel()).map((tick) -> LockHandle.current().key()))
			.block()).isEqualTo("locks/a");
		assertThatIllegalStateException().isThrownBy(LockHandle::current);
	}

	@Test
	void theHoldOfABlockingMethodStaysOnItsThread() {
		Hooks.enableAutomaticContextPropagation();
		String key = this.tenants.outer(() -> {
			assertThat(Mono.fromSupplier(() -> LockHandle.current().key()).block()).isEqualTo("locks/outer");
			Runnable elsewhere = ContextSnapshotFactory.builder()
				.build()
				.captureAll()
				.wrap((Runnable) () -> assertThatIllegalStateException().isThrownBy(LockHandle::current));
			CompletableFuture.runAsync(elsewhere).join();
			return LockHandle.current().key();
		});
		assertThat(key).isEqualTo("locks/outer");
	}

	@Test
	void anAspectInsideOfTheLockFindsTheCall() throws Exception {
		this.context.close();
		this.context = LockContext.start(Tenants.class, Advice.class);
		Tenants advised = this.context.getBean(Tenants.class);
		assertThat(advised.future(() -> CompletableFuture.completedFuture("done")).get()).isEqualTo("done");
		assertThat(advised.mono(() -> Mono.just("done")).block()).isEqualTo("done");
		assertThat(this.context.getBean(Advice.class).calls).hasValue(2);
	}

	static class Tenants {

		@DistributedLock("a")
		public <T> CompletableFuture<T> future(Supplier<CompletableFuture<T>> body) {
			return body.get();
		}

		@DistributedLock("a")
		public <T> Mono<T> mono(Supplier<Mono<T>> body) {
			return body.get();
		}

		@DistributedLock("outer")
		public <T> T outer(Supplier<T> body) {
			return body.get();
		}

	}

	/** Asks for the present call as the advice of AspectJ does. */
	@Configuration(proxyBeanMethods = false)
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	static class Advice {

		final AtomicInteger calls = new AtomicInteger();

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		Advisor inside() {
			MethodInterceptor interceptor = (invocation) -> {
				assertThat(ExposeInvocationInterceptor.currentInvocation().getArguments())
					.isEqualTo(invocation.getArguments());
				this.calls.incrementAndGet();
				return invocation.proceed();
			};
			NameMatchMethodPointcut pointcut = new NameMatchMethodPointcut().addMethodName("future")
				.addMethodName("mono");
			pointcut.setClassFilter((type) -> type == Tenants.class);
			return new DefaultPointcutAdvisor(pointcut, interceptor);
		}

	}

}
