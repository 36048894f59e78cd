package io.github.consullock.annotation;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.time.Duration;

import io.github.consullock.LockHandle;
import io.github.consullock.LockOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.annotation.AliasFor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Attributes that cannot be obeyed, and attributes that come from elsewhere than the
 * method: its class, an interface, an annotation of the application's own.
 */
class AttributeDefinitionTests {

	@ParameterizedTest
	@CsvSource({ "KeyAndKeys,'both the key ''a'' and keys'", "ValueAndKeys,'both the key ''a'' and keys'",
			"BlankAmongKeys,'has the key '' '', which cannot be used'",
			"UnknownNameAmongKeys,'#order names no parameter'", "NegativeLimit,limit = -1",
			"LimitAndKeys,both limit = 2 and keys", "FairAndKeys,both fair = true and keys",
			"NegativeHoldAtLeast,holdAtLeast '-1s'", "HoldAtLeastForever,holdAtLeast 'forever'",
			"MaxHoldWithoutUnit,maxHold '30'", "MaxHoldForever,maxHold 'forever'",
			"ZeroMaxHold,'maxHold = \"0s\", after which nothing is held'",
			"LongerAtLeast,'holdAtLeast = \"2m\", which is longer than maxHold = \"60s\"'" })
	void whatCannotBeObeyedStopsTheStart(String type, String problem) throws ClassNotFoundException {
		Class<?> beanClass = Class.forName(AttributeDefinitionTests.class.getName() + "$" + type);
		DistributedLockDefinitionException refusal = LockContext.refusal(beanClass);
		assertThat(refusal.description()).contains(type + ".run()").contains(problem);
		assertThat(refusal.action()).isNotBlank();
	}

	@ParameterizedTest
	@ValueSource(classes = { OnClass.class, OnInterface.class, OnInterfaceMethod.class, OnClassByOwnAnnotation.class,
			OnMethodByOwnAnnotation.class })
	void attributesCountWhereverTheAnnotationStands(Class<?> type) {
		try (AnnotationConfigApplicationContext context = LockContext.start(type)) {
			FakeLockRegistry registry = LockContext.registry(context);
			Task task = context.getBean(Task.class);
			task.run("a", "b");
			assertThat(registry.events).containsExactly("acquire locks/a locks/b", "release locks/a locks/b");
			LockOptions options = registry.lastObtained();
			assertThat(options.holdAtLeast()).isEqualTo(Duration.ofSeconds(1));
			assertThat(options.maxHold()).isEqualTo(Duration.ofSeconds(2));
			assertThat(options.waitTime()).isZero();
			try (LockHandle other = registry.obtain("b").acquire()) {
				assertThat(other.isHeld()).isTrue();
				assertThat(task.run("a", "b")).isEqualTo("instead");
			}
		}
	}

	@Test
	void fairIsTheRegistrysSettingOrTrue() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Fair.class)) {
			FakeLockRegistry registry = LockContext.registry(context);
			context.getBean(Fair.class).fair();
			assertThat(registry.lastObtained().fair()).isTrue();
			context.getBean(Fair.class).asTheRegistry();
			assertThat(registry.lastObtained().fair()).isNull();
		}
	}

	@Test
	void anOwnAnnotationMaySetTheLimit() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Limited.class)) {
			context.getBean(Limited.class).run();
			assertThat(LockContext.registry(context).events).contains("acquire locks/pool#1");
		}
	}

	static class KeyAndKeys {

		@DistributedLock(key = "a", keys = "b")
		public void run() {
		}

	}

	static class ValueAndKeys {

		@DistributedLock(value = "a", keys = "b")
		public void run() {
		}

	}

	static class BlankAmongKeys {

		@DistributedLock(keys = { "a", " " })
		public void run() {
		}

	}

	static class UnknownNameAmongKeys {

		@DistributedLock(keys = { "a", "#{#order}" })
		public void run() {
		}

	}

	static class NegativeLimit {

		@DistributedLock(key = "a", limit = -1)
		public void run() {
		}

	}

	static class LimitAndKeys {

		@DistributedLock(keys = "a", limit = 2)
		public void run() {
		}

	}

	static class FairAndKeys {

		@DistributedLock(keys = "a", fair = true)
		public void run() {
		}

	}

	static class NegativeHoldAtLeast {

		@DistributedLock(key = "a", holdAtLeast = "-1s")
		public void run() {
		}

	}

	static class HoldAtLeastForever {

		@DistributedLock(key = "a", holdAtLeast = "forever")
		public void run() {
		}

	}

	static class MaxHoldWithoutUnit {

		@DistributedLock(key = "a", maxHold = "30")
		public void run() {
		}

	}

	static class MaxHoldForever {

		@DistributedLock(key = "a", maxHold = "forever")
		public void run() {
		}

	}

	static class ZeroMaxHold {

		@DistributedLock(key = "a", maxHold = "0s")
		public void run() {
		}

	}

	static class LongerAtLeast {

		@DistributedLock(key = "a", holdAtLeast = "2m", maxHold = "60s")
		public void run() {
		}

	}

	static class Fair {

		@DistributedLock(key = "a", fair = true)
		public void fair() {
		}

		@DistributedLock("a")
		public void asTheRegistry() {
		}

	}

	interface Task {

		String run(String first, String second);

	}

	@DistributedLock(keys = { "#{#first}", "#{#second}" }, waitTime = "0s", fallback = "instead", holdAtLeast = "1s",
			maxHold = "2s")
	static class OnClass implements Task {

		@Override
		public String run(String first, String second) {
			return "ran";
		}

		String instead(String first, String second) {
			return "instead";
		}

	}

	@DistributedLock(keys = { "#{#first}", "#{#second}" }, waitTime = "0s", fallback = "instead", holdAtLeast = "1s",
			maxHold = "2s")
	interface AnnotatedTask extends Task {

	}

	static class OnInterface implements AnnotatedTask {

		@Override
		public String run(String first, String second) {
			return "ran";
		}

		String instead(String first, String second) {
			return "instead";
		}

	}

	interface TaskWithAnnotatedMethod extends Task {

		@Override
		@DistributedLock(keys = { "#{#p0}", "#{#p1}" }, waitTime = "0s", fallback = "instead", holdAtLeast = "1s",
				maxHold = "2s")
		String run(String first, String second);

	}

	static class OnInterfaceMethod implements TaskWithAnnotatedMethod {

		@Override
		public String run(String first, String second) {
			return "ran";
		}

		public String instead(String first, String second) {
			return "instead";
		}

	}

	@Target({ ElementType.METHOD, ElementType.TYPE })
	@Retention(RetentionPolicy.RUNTIME)
	@DistributedLock(maxHold = "2s")
	@interface Own {

		@AliasFor(annotation = DistributedLock.class, attribute = "keys")
		String[] of();

		@AliasFor(annotation = DistributedLock.class)
		String waitTime() default "0s";

		@AliasFor(annotation = DistributedLock.class, attribute = "fallback")
		String otherwise() default "";

		@AliasFor(annotation = DistributedLock.class)
		String holdAtLeast() default "5s";

		@AliasFor(annotation = DistributedLock.class)
		LossPolicy onLost() default LossPolicy.NOTIFY;

	}

	@Own(of = { "#{#first}", "#{#second}" }, otherwise = "instead", holdAtLeast = "1s")
	static class OnClassByOwnAnnotation implements Task {

		@Override
		public String run(String first, String second) {
			return "ran";
		}

		String instead(String first, String second) {
			return "instead";
		}

	}

	static class OnMethodByOwnAnnotation implements Task {

		@Override
		@Own(of = { "#{#first}", "#{#second}" }, otherwise = "instead", holdAtLeast = "1s")
		public String run(String first, String second) {
			return "ran";
		}

		String instead(String first, String second) {
			return "instead";
		}

	}

	@Target(ElementType.METHOD)
	@Retention(RetentionPolicy.RUNTIME)
	@DistributedLock("pool")
	@interface AtMost {

		@AliasFor(annotation = DistributedLock.class, attribute = "limit")
		int value();

	}

	static class Limited {

		@AtMost(2)
		public void run() {
		}

	}

}
