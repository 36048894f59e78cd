package io.github.consullock.annotation;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import io.github.consullock.LockInterruptedException;
import io.github.consullock.LockNotAcquiredException;
import io.github.consullock.LockOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.support.AopUtils;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.annotation.AliasFor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class DistributedLockTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Orders orders;

	@BeforeEach
	void start() {
		System.setProperty("test.wait", "1500ms");
		this.context = LockContext.start(Orders.class, ClassLevel.class, Subclass.class, InterfaceService.class,
				InterfaceAnnotated.class, Visible.class);
		this.registry = LockContext.registry(this.context);
		this.orders = this.context.getBean(Orders.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
		System.clearProperty("test.wait");
	}

	@Test
	void theBodyRunsUnderTheLock() {
		assertThat(this.orders.ship(42)).isEqualTo("shipped 42 under locks/orders/42");
		assertThat(this.registry.events).containsExactly("acquire locks/orders/42", "release locks/orders/42");
	}

	@Test
	void whatTheBodyThrowsReachesTheCallerUnchanged() {
		Exception checked = new Exception("checked");
		assertThatExceptionOfType(Exception.class).isThrownBy(() -> this.orders.fail(checked)).isSameAs(checked);
		Error error = new AssertionError("error");
		assertThatExceptionOfType(Error.class).isThrownBy(() -> this.orders.fail(error)).isSameAs(error);
		assertThat(this.registry.isFree()).isTrue();
	}

	@Test
	void thereIsNoCurrentHandleBeforeAndAfter() {
		this.orders.ship(1);
		assertThatIllegalStateException().isThrownBy(LockHandle::current);
	}

	@Test
	void aCallThatGetsNoLockThrows() {
		try (LockHandle other = this.registry.obtain("orders/1").acquire()) {
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.orders.ship(1))
				.satisfies((ex) -> assertThat(ex.key()).isEqualTo(other.key()));
		}
	}

	@Test
	void theWaitTimeIsTheRegistrysUnlessOneIsGiven() {
		this.orders.ship(1);
		assertThat(this.registry.lastObtained().waitTime()).isNull();
		this.orders.tryOnce();
		assertThat(this.registry.lastObtained().waitTime()).isZero();
		this.orders.waitForever();
		assertThat(this.registry.lastObtained().waitTime()).isEqualTo(LockOptions.FOREVER);
		this.orders.waitIso();
		assertThat(this.registry.lastObtained().waitTime()).isEqualTo(Duration.ofMinutes(2));
		this.orders.waitProperty();
		assertThat(this.registry.lastObtained().waitTime()).isEqualTo(Duration.ofMillis(1500));
	}

	@Test
	void aThreadThatIsInterruptedGetsNoLockAndKeepsItsFlag() {
		Thread.currentThread().interrupt();
		assertThatExceptionOfType(LockInterruptedException.class).isThrownBy(() -> this.orders.ship(1));
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void anInnerCallOfTheSameKeyJoinsTheHold() {
		this.orders.run(9, () -> {
			LockHandle outer = LockHandle.current();
			this.orders.run(9, () -> assertThat(LockHandle.current()).isSameAs(outer));
			assertThat(outer.isHeld()).isTrue();
		});
		assertThat(this.registry.events).containsExactly("acquire locks/orders/9", "release locks/orders/9");
	}

	@Test
	void anInnerCallJoinsThroughAnotherKeyInBetween() {
		this.orders.run(1, () -> this.orders.run(2,
				() -> this.orders.run(1, () -> assertThat(LockHandle.current().key()).isEqualTo("locks/orders/1"))));
		assertThat(this.registry.events).containsExactly("acquire locks/orders/1", "acquire locks/orders/2",
				"release locks/orders/2", "release locks/orders/1");
	}

	@Test
	void anInnerCallAcquiresAnewWhatTheBodyHasReleased() {
		this.orders.run(1, () -> {
			LockHandle.current().release();
			this.orders.run(1, () -> assertThat(LockHandle.current().isHeld()).isTrue());
		});
		assertThat(this.registry.events).containsExactly("acquire locks/orders/1", "release locks/orders/1",
				"acquire locks/orders/1", "release locks/orders/1");
	}

	@Test
	void aHoldIsNotJoinedByAnotherThread() {
		this.orders.run(1,
				() -> assertThatExceptionOfType(Exception.class)
					.isThrownBy(() -> CompletableFuture.runAsync(() -> this.orders.ship(1)).get())
					.withCauseInstanceOf(LockNotAcquiredException.class));
	}

	@Test
	void anAnnotationOnTheClassLocksItsPublicMethodsButThoseOfObject() {
		ClassLevel bean = this.context.getBean(ClassLevel.class);
		bean.open();
		assertThat(this.registry.events).containsExactly("acquire locks/class", "release locks/class");
		this.registry.events.clear();
		assertThat(bean.toString()).isEqualTo("bean");
		assertThat(bean).hasSameHashCodeAs(bean);
		assertThat(bean).isNotEqualTo(null);
		bean.packagePrivate();
		bean.isProtected();
		assertThat(this.registry.events).isEmpty();
		bean.ownAnnotation();
		assertThat(this.registry.events).containsExactly("acquire locks/method", "release locks/method");
	}

	@Test
	void anAnnotationOnASuperclassCounts() {
		Subclass bean = this.context.getBean(Subclass.class);
		bean.inherited();
		bean.overridden();
		assertThat(this.registry.events).containsExactly("acquire locks/super", "release locks/super",
				"acquire locks/super", "release locks/super");
	}

	@Test
	void aMethodInheritedFromAPackagePrivateClassIsLocked() {
		this.context.getBean(Visible.class).run();
		assertThat(this.registry.events).containsExactly("acquire locks/hidden", "release locks/hidden");
	}

	@Test
	void aBeanBehindAnInterfaceIsLocked() {
		Service bean = this.context.getBean(Service.class);
		assertThat(AopUtils.isJdkDynamicProxy(bean)).isTrue();
		bean.serve("a");
		assertThat(this.registry.events).containsExactly("acquire locks/service/a", "release locks/service/a");
	}

	@Test
	void anAnnotationOnAnInterfaceMethodCounts() {
		Annotated<Integer> bean = (Annotated<Integer>) this.context.getBean(Annotated.class);
		assertThat(bean.handle(3)).isEqualTo(3);
		bean.byDefault();
		assertThat(this.registry.events).containsExactly("acquire locks/handle/3", "release locks/handle/3",
				"acquire locks/default", "release locks/default");
	}

	@Test
	void aMetaAnnotationPassesItsAttributesOn() {
		this.orders.composed();
		assertThat(this.registry.events).containsExactly("acquire locks/composed/x", "release locks/composed/x");
		assertThat(this.registry.lastObtained().waitTime()).isEqualTo(Duration.ofSeconds(3));
	}

	@Test
	void aFutureThatWasNotDeclaredIsRefusedUnlessItIsDone() {
		assertThat(this.orders.any(CompletableFuture.completedFuture("x"))).isInstanceOf(CompletableFuture.class);
		assertThatIllegalStateException().isThrownBy(() -> this.orders.any(new CompletableFuture<>()))
			.withMessageContaining("Orders.any(Object)")
			.withMessageContaining("CompletableFuture");
	}

	static class Orders {

		@DistributedLock("orders/#{#id}")
		public String ship(long id) {
			return "shipped " + id + " under " + LockHandle.current().key();
		}

		@DistributedLock("orders/#{#id}")
		public void run(long id, Runnable body) {
			body.run();
		}

		@DistributedLock("fail")
		public void fail(Throwable failure) throws Throwable {
			throw failure;
		}

		@DistributedLock(key = "a", waitTime = "0s")
		public void tryOnce() {
		}

		@DistributedLock(key = "a", waitTime = "forever")
		public void waitForever() {
		}

		@DistributedLock(key = "a", waitTime = "PT2M")
		public void waitIso() {
		}

		@DistributedLock(key = "a", waitTime = "${test.wait}")
		public void waitProperty() {
		}

		@Composed(name = "composed/x")
		public void composed() {
		}

		@DistributedLock("any")
		public Object any(Object value) {
			return value;
		}

	}

	@Target(ElementType.METHOD)
	@Retention(RetentionPolicy.RUNTIME)
	@DistributedLock(waitTime = "3s")
	@interface Composed {

		@AliasFor(annotation = DistributedLock.class, attribute = "key")
		String name();

	}

	@DistributedLock("class")
	static class ClassLevel {

		public void open() {
		}

		void packagePrivate() {
		}

		protected void isProtected() {
		}

		@DistributedLock("method")
		void ownAnnotation() {
		}

		@Override
		public boolean equals(@Nullable Object other) {
			return other instanceof ClassLevel;
		}

		@Override
		public int hashCode() {
			return 5;
		}

		@Override
		public String toString() {
			return "bean";
		}

	}

	static class Superclass {

		@DistributedLock("super")
		public void inherited() {
		}

		@DistributedLock("super")
		public void overridden() {
		}

	}

	static class Subclass extends Superclass {

		@Override
		public void overridden() {
		}

	}

	static class Hidden {

		@DistributedLock("hidden")
		public void run() {
		}

	}

	/** The compiler adds a bridge that makes the method public. */
	public static class Visible extends Hidden {

	}

	interface Service {

		void serve(String name);

	}

	static class InterfaceService implements Service {

		@Override
		@DistributedLock("service/#{#name}")
		public void serve(String name) {
		}

	}

	interface Annotated<T> {

		@DistributedLock("handle/#{#p0}")
		T handle(T value);

		@DistributedLock("default")
		default void byDefault() {
		}

	}

	static class InterfaceAnnotated implements Annotated<Integer> {

		@Override
		public Integer handle(Integer value) {
			return value;
		}

	}

}
