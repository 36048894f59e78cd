package io.github.consullock.annotation;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.github.consullock.ConsulUnavailableException;
import io.github.consullock.LockHandle;
import io.github.consullock.LockLostException;
import io.github.consullock.LockLostReason;
import io.github.consullock.LockNotAcquiredException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aop.support.AopUtils;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FallbackTests {

	private AnnotationConfigApplicationContext context;

	private FakeLockRegistry registry;

	private Orders orders;

	private @Nullable LockHandle other;

	@BeforeEach
	void start() {
		this.context = LockContext.start(Orders.class, InterfaceOrders.class);
		this.registry = LockContext.registry(this.context);
		this.orders = this.context.getBean(Orders.class);
	}

	@AfterEach
	void stop() {
		this.context.close();
	}

	@Test
	void aCallThatGetsTheLockNeedsNone() {
		assertThat(this.orders.ship(1, "x")).isEqualTo("shipped");
	}

	@Test
	void aCallThatDoesNotGetTheLockIsPassedOnWithItsArguments() {
		holdElsewhere();
		assertThat(this.orders.ship(1, "x")).isEqualTo("later 1 x");
	}

	@Test
	void theReasonIsPassedOnToo() {
		holdElsewhere();
		assertThat(this.orders.shipWithReason(1)).hasToString("Optional[1: locks/order]");
	}

	@Test
	void itRunsOnTheBeanItselfAndWithoutALock() {
		holdElsewhere();
		assertThat(this.orders.self()).isFalse();
		assertThat(this.orders.calls()).containsExactly("inherited, no proxy, no lock");
	}

	@Test
	void itMayBeStatic() {
		holdElsewhere();
		assertThat(this.orders.count(new int[0])).isEqualTo(-1);
	}

	@Test
	void typeVariablesAreComparedByWhatTheyStandFor() throws Exception {
		holdElsewhere();
		assertThat(this.orders.run(() -> "ran")).isNull();
		assertThat(this.orders.handle("x")).isEqualTo("generic x");
	}

	@Test
	void aBeanBehindAnInterfaceHasOneToo() {
		holdElsewhere();
		Shipping shipping = this.context.getBean(Shipping.class);
		assertThat(AopUtils.isJdkDynamicProxy(shipping)).isTrue();
		assertThat(shipping.ship("x")).isEqualTo("later x");
		assertThat(shipping.shipByDefault("x")).isEqualTo("by default");
	}

	@Test
	void whatItThrowsReachesTheCallerUnchanged() {
		holdElsewhere();
		Exception checked = new Exception("checked");
		assertThatThrownBy(() -> this.orders.fail(checked)).isSameAs(checked);
	}

	@Test
	void anUnreachableConsulDoesNotCallIt() {
		this.registry.failure = new ConsulUnavailableException("no answer");
		assertThatExceptionOfType(ConsulUnavailableException.class).isThrownBy(() -> this.orders.ship(1, "x"));
	}

	@Test
	void aLossDoesNotCallIt() {
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> this.orders.run(() -> {
			this.registry.holder("order").lose(LockLostReason.TAKEN_OVER);
			return "ran";
		}));
		assertThat(this.orders.calls()).isEmpty();
	}

	@Test
	void aLockThatTheBodyDoesNotGetDoesNotCallIt() {
		LockNotAcquiredException another = new LockNotAcquiredException("another", "held by somebody");
		assertThatThrownBy(() -> this.orders.run(() -> {
			throw another;
		})).isSameAs(another);
		assertThat(this.orders.calls()).isEmpty();
	}

	@Test
	void aCallThatJoinsNeedsNone() throws Exception {
		assertThat(this.orders.run(() -> this.orders.ship(1, "x"))).isEqualTo("shipped");
	}

	@ParameterizedTest
	@ValueSource(classes = { Missing.class, OtherParameters.class, TooManyParameters.class, OtherReturnType.class,
			OtherElementType.class, VoidForValue.class, Ambiguous.class, TogetherWithSkip.class, LockedItself.class,
			LockedByClass.class, ThrowsMore.class, ThrowsAnything.class })
	void oneThatCannotBeCalledStopsTheStart(Class<?> type) {
		DistributedLockDefinitionException refusal = LockContext.refusal(type);
		assertThat(refusal.description()).contains(type.getName() + ".run(long)").contains("fallback 'later'");
		assertThat(refusal.action()).isNotBlank();
	}

	@Test
	void theRefusalSaysWhatWouldFit() {
		assertThat(LockContext.refusal(Missing.class)).hasMessageContaining("no method of that name")
			.hasMessageContaining("Add later(long) or later(long, LockNotAcquiredException)");
		assertThat(LockContext.refusal(OtherParameters.class)).hasMessageContaining("later(int)")
			.hasMessageContaining("later(long) or later(long, LockNotAcquiredException)");
		assertThat(LockContext.refusal(OtherElementType.class)).hasMessageContaining("List<java.lang.String>")
			.hasMessageContaining("List<java.lang.Integer>");
		assertThat(LockContext.refusal(Ambiguous.class)).hasMessageContaining("two methods");
		assertThat(LockContext.refusal(ThrowsMore.class)).hasMessageContaining("which throws java.io.IOException")
			.hasMessageContaining("Have the method throw IOException as well");
	}

	@Test
	void whatACallerCannotCatchIsDeliveredByAFuture() {
		try (AnnotationConfigApplicationContext started = LockContext.start(DeliversMore.class);
				LockHandle handle = LockContext.registry(started).obtain("a").acquire()) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(started.getBean(DeliversMore.class).run()).failsWithin(1, TimeUnit.MINUTES)
				.withThrowableThat()
				.withCauseInstanceOf(FileNotFoundException.class);
		}
	}

	@Test
	void anAnnotatedClassMayNameAMethodThatIsNotPublic() {
		try (AnnotationConfigApplicationContext started = LockContext.start(ClassLevel.class)) {
			try (LockHandle handle = LockContext.registry(started).obtain("a").acquire()) {
				assertThat(handle.isHeld()).isTrue();
				assertThat(started.getBean(ClassLevel.class).run(1)).isEqualTo("later 1");
			}
			assertThat(started.getBean(ClassLevel.class).run(1)).isEqualTo("ran");
		}
	}

	@Test
	void aFallbackOfANestedCallIsCalledUnderTheOuterLock() {
		try (LockHandle handle = this.registry.obtain("inner").acquire()) {
			assertThat(handle.isHeld()).isTrue();
			assertThat(this.context.getBean(Orders.class).outer(this.orders)).isEqualTo("locks/outer");
		}
		assertThatIllegalStateException().isThrownBy(LockHandle::current);
	}

	private void holdElsewhere() {
		this.other = this.registry.obtain("order").acquire();
	}

	static class Base<T> {

		final List<String> calls = new ArrayList<>();

		/** Not the field, which a proxy has for itself. */
		List<String> calls() {
			return this.calls;
		}

		@SuppressWarnings("UnusedMethod") // called by name
		private boolean inherited() {
			this.calls.add("inherited, " + (AopUtils.isAopProxy(this) ? "a proxy" : "no proxy") + ", "
					+ (hasCurrent() ? "a lock" : "no lock"));
			return false;
		}

		T generic(T value) {
			return value;
		}

		private static boolean hasCurrent() {
			try {
				LockHandle.current();
				return true;
			}
			catch (IllegalStateException ex) {
				return false;
			}
		}

	}

	static class Orders extends Base<CharSequence> {

		@DistributedLock(key = "order", fallback = "later")
		public String ship(long id, String name) {
			return "shipped";
		}

		String later(long id, String name) {
			return "later " + id + " " + name;
		}

		/** Of another method, by its parameters. */
		String later(String name) {
			throw new IllegalStateException(name);
		}

		@DistributedLock(key = "order", fallback = "reason")
		public Optional<? extends CharSequence> shipWithReason(int id) {
			return Optional.empty();
		}

		protected Optional<String> reason(int id, LockNotAcquiredException failure) {
			return Optional.of(id + ": " + failure.key());
		}

		@DistributedLock(key = "order", fallback = "inherited")
		public boolean self() {
			return true;
		}

		@DistributedLock(key = "order", fallback = "none")
		public int count(int... numbers) {
			return numbers.length;
		}

		static int none(int[] numbers) {
			return -1;
		}

		@DistributedLock(key = "order", fallback = "dontRun")
		public <T> @Nullable T run(Callable<T> body) throws Exception {
			return body.call();
		}

		<T> @Nullable T dontRun(Callable<T> body) {
			this.calls.add("dontRun");
			return null;
		}

		@DistributedLock(key = "order", fallback = "generic")
		public CharSequence handle(CharSequence value) {
			return value;
		}

		@Override
		CharSequence generic(CharSequence value) {
			return "generic " + value;
		}

		@DistributedLock(key = "order", fallback = "rethrow")
		public void fail(Exception failure) throws Exception {
			throw new IllegalStateException("ran");
		}

		void rethrow(Exception failure) throws Exception {
			throw failure;
		}

		@DistributedLock("outer")
		public String outer(Orders proxy) {
			return proxy.inner();
		}

		@DistributedLock(key = "inner", fallback = "current")
		public String inner() {
			throw new IllegalStateException("ran");
		}

		String current() {
			return LockHandle.current().key();
		}

	}

	interface Shipping {

		String ship(String name);

		@DistributedLock(key = "order", fallback = "laterByDefault")
		default String shipByDefault(String name) {
			return "shipped";
		}

		default String laterByDefault(String name) {
			return "by default";
		}

	}

	static class InterfaceOrders implements Shipping {

		@Override
		@DistributedLock(key = "order", fallback = "later")
		public String ship(String name) {
			return "shipped";
		}

		@SuppressWarnings("UnusedMethod") // called by name
		private String later(String name) {
			return "later " + name;
		}

	}

	static class Missing {

		@DistributedLock(key = "a", fallback = "later")
		public void run(long id) {
		}

	}

	static class OtherParameters extends Missing {

		void later(int id) {
		}

		void later(LockNotAcquiredException failure, long id) {
		}

	}

	static class TooManyParameters extends Missing {

		void later(long id, LockNotAcquiredException failure, String more) {
		}

	}

	static class OtherReturnType extends Missing {

		String later(long id) {
			return "";
		}

	}

	static class OtherElementType {

		@DistributedLock(key = "a", fallback = "later")
		public List<String> run(long id) {
			return List.of();
		}

		List<Integer> later(long id) {
			return List.of();
		}

	}

	static class VoidForValue {

		@DistributedLock(key = "a", fallback = "later")
		public int run(long id) {
			return 1;
		}

		void later(long id) {
		}

	}

	static class Ambiguous extends Missing {

		void later(long id) {
		}

		void later(long id, LockNotAcquiredException failure) {
		}

	}

	static class ThrowsMore {

		@DistributedLock(key = "a", fallback = "later")
		public void run(long id) throws FileNotFoundException {
		}

		void later(long id) throws IOException {
		}

	}

	static class ThrowsAnything extends Missing {

		void later(long id) throws Throwable {
		}

	}

	static class DeliversMore {

		@DistributedLock(key = "a", fallback = "later")
		public CompletableFuture<String> run() {
			return CompletableFuture.completedFuture("ran");
		}

		CompletableFuture<String> later() throws IOException {
			throw new FileNotFoundException();
		}

	}

	static class TogetherWithSkip {

		@DistributedLock(key = "a", fallback = "later", onNotAcquired = NotAcquiredPolicy.SKIP)
		public void run(long id) {
		}

		void later(long id) {
		}

	}

	static class LockedItself extends Missing {

		@DistributedLock("b")
		void later(long id) {
		}

	}

	@DistributedLock(key = "a", fallback = "later")
	static class ClassLevel {

		public String run(long id) {
			return "ran";
		}

		String later(long id) {
			return "later " + id;
		}

	}

	@DistributedLock("a")
	static class LockedByClass extends Missing {

		public void later(long id) {
		}

	}

}
