package io.github.consullock.annotation;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.List;

import io.github.consullock.LockHandle;
import io.github.consullock.LockNotAcquiredException;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.Advisor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Role;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class HandleParameterTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Orders orders;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Surroundings.class, Orders.class, InterfaceOrders.class);
		this.registry = LockContext.registry(this.context);
		this.orders = this.context.getBean(Orders.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
	}

	@Test
	void theBodyReceivesItsHoldWhereverTheParameterIs() {
		assertThat(this.orders.last("a", null)).isEqualTo("a under locks/orders/a");
		assertThat(this.orders.first(null, "b")).isEqualTo("b under locks/orders/b");
		assertThat(this.orders.only(null)).isEqualTo(3);
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void aBeanBehindAnInterfaceReceivesItToo() {
		assertThat(this.context.getBean(Shipping.class).ship("a", null)).isEqualTo("locks/orders/a");
	}

	@Test
	void parametersKeepTheirPositionsInTheKey() {
		assertThat(this.orders.first(null, "b")).endsWith("locks/orders/b");
	}

	@Test
	void everyRetryReceivesTheHoldOfItsOwn() {
		this.orders.retried("a", null);
		assertThat(this.orders.tokens()).containsExactly(1L, 2L, 3L);
		assertThat(this.registry.events).hasSize(6);
	}

	@Test
	void whateverIsAroundTheLockSeesTheArgumentsOfTheCaller() {
		this.orders.last("a", null);
		Recorder recorder = this.context.getBean(Recorder.class);
		assertThat(recorder.before).containsExactly("a", null);
		assertThat(recorder.after).containsExactly("a", null);
		@Nullable Object[] inside = recorder.inside;
		assertThat(inside).hasSize(2);
		assertThat(inside[1]).isInstanceOf(LockHandle.class);
	}

	@Test
	void aCallThatJoinsReceivesTheHoldThatItJoined() {
		assertThat(this.orders.nested("a", null, this.orders)).isTrue();
		assertThat(this.registry.events).hasSize(2);
	}

	@Test
	void aCallerHasNoHandleToPass() {
		try (LockHandle own = this.registry.obtain("own").acquire()) {
			assertThatIllegalArgumentException().isThrownBy(() -> this.orders.last("a", own))
				.withMessageContaining("Orders.last(String, LockHandle)")
				.withMessageContaining("pass null");
		}
		assertThat(this.registry.events).containsExactly("acquire locks/own", "release locks/own");
	}

	@Test
	void aFallbackReceivesNone() {
		try (LockHandle other = this.registry.obtain("orders/a").acquire()) {
			assertThat(other.isHeld()).isTrue();
			assertThat(this.orders.withFallback("a", null)).isEqualTo("none for locks/orders/a");
		}
		assertThat(this.orders.withFallback("a", null)).isEqualTo("held");
	}

	@Test
	void aHoldThatIsNeverNullStopsTheStart() {
		assertThat(LockContext.refusal(NonNull.class)).hasMessageContaining("NonNull.run(LockHandle)")
			.hasMessageContaining("@Nullable LockHandle");
	}

	@Test
	void twoStopTheStart() {
		assertThat(LockContext.refusal(Two.class)).hasMessageContaining("Two.run(LockHandle, LockHandle)")
			.hasMessageContaining("two parameters");
	}

	static class Orders {

		private final List<Long> tokens = new ArrayList<>();

		List<Long> tokens() {
			return this.tokens;
		}

		@DistributedLock("orders/#{#id}")
		@Recorded
		public String last(String id, @Nullable LockHandle handle) {
			return id + " under " + key(handle);
		}

		@DistributedLock("orders/#{#p1}")
		public String first(@Nullable LockHandle handle, String id) {
			return id + " under " + key(handle);
		}

		@DistributedLock("orders")
		public long only(@Nullable LockHandle handle) {
			return (handle != null && handle == LockHandle.current()) ? handle.fencingToken() : -1;
		}

		@Retryable(delay = 0)
		@DistributedLock("orders/#{#id}")
		public void retried(String id, @Nullable LockHandle handle) {
			this.tokens.add((handle != null && handle.isHeld()) ? handle.fencingToken() : -1);
			if (this.tokens.size() < 3) {
				throw new IllegalStateException("again");
			}
		}

		@DistributedLock("orders/#{#id}")
		public boolean nested(String id, @Nullable LockHandle handle, @Nullable Orders proxy) {
			return (proxy != null) ? handle == proxy.handle(id, null) : handle != null;
		}

		@DistributedLock("orders/#{#id}")
		public @Nullable LockHandle handle(String id, @Nullable LockHandle handle) {
			return handle;
		}

		@DistributedLock(key = "orders/#{#id}", fallback = "later")
		public String withFallback(String id, @Nullable LockHandle handle) {
			return (handle != null) ? "held" : "not held";
		}

		String later(String id, @Nullable LockHandle handle, LockNotAcquiredException failure) {
			return ((handle != null) ? "one" : "none") + " for " + failure.key();
		}

		private static String key(@Nullable LockHandle handle) {
			return (handle != null && handle.isHeld()) ? handle.key() : "no lock";
		}

	}

	interface Shipping {

		String ship(String id, @Nullable LockHandle handle);

	}

	static class InterfaceOrders implements Shipping {

		@Override
		@DistributedLock("orders/#{#id}")
		public String ship(String id, @Nullable LockHandle handle) {
			return (handle != null && handle.isHeld()) ? handle.key() : "no lock";
		}

	}

	@NullMarked
	static class NonNull {

		@DistributedLock("a")
		public void run(LockHandle handle) {
		}

	}

	static class Two {

		@DistributedLock("a")
		public void run(@Nullable LockHandle first, @Nullable LockHandle second) {
		}

	}

	@Retention(RetentionPolicy.RUNTIME)
	@interface Recorded {

	}

	static class Recorder {

		@Nullable Object[] before = {};

		@Nullable Object[] inside = {};

		@Nullable Object[] after = {};

	}

	@Configuration(proxyBeanMethods = false)
	@EnableResilientMethods
	static class Surroundings {

		@Bean
		Recorder recorder() {
			return new Recorder();
		}

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static Advisor outside(ObjectProvider<Recorder> recorder) {
			return advisor(0, (invocation) -> {
				recorder.getObject().before = invocation.getArguments().clone();
				Object result = invocation.proceed();
				recorder.getObject().after = invocation.getArguments().clone();
				return result;
			});
		}

		@Bean
		@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
		static Advisor inside(ObjectProvider<Recorder> recorder) {
			return advisor(Integer.MAX_VALUE, (invocation) -> {
				recorder.getObject().inside = invocation.getArguments().clone();
				return invocation.proceed();
			});
		}

		private static Advisor advisor(int order, MethodInterceptor advice) {
			DefaultPointcutAdvisor advisor = new DefaultPointcutAdvisor(
					AnnotationMatchingPointcut.forMethodAnnotation(Recorded.class), advice);
			advisor.setOrder(order);
			return advisor;
		}

	}

}
