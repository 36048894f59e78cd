package io.github.consullock.annotation;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

import io.reactivex.rxjava3.core.Single;
import kotlin.coroutines.Continuation;
import org.aopalliance.aop.Advice;
import org.jspecify.annotations.NonNull;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

@ExtendWith(OutputCaptureExtension.class)
class DefinitionTests {

	@Test
	void aSuspendFunctionStopsTheStart() {
		assertThat(LockContext.refusal(Suspending.class)).hasMessageContaining("Suspending.run(String, Continuation)")
			.hasMessageContaining("suspend");
	}

	@ParameterizedTest
	@ValueSource(classes = { SkipsInt.class, SkipsChar.class, SkipsNonNull.class,
			SkipsCollectionWithoutConstructor.class, SkipsSingle.class, SkipsFutureOfCollectionWithoutConstructor.class,
			SkipsFutureOfNonNull.class, SkipsFutureOfDeclaredNonNull.class })
	void aMethodThatCannotSayThatItWasSkippedMayNotSkip(Class<?> type) {
		assertThat(LockContext.refusal(type).description()).contains(type.getName() + ".run()").contains("SKIP");
	}

	@Test
	void aFutureThatMayGiveNullMaySkip() {
		LockContext.start(SkipsFuturesThatMayGiveNull.class, SkipsFutureOfUnknownNullness.class).close();
	}

	@ParameterizedTest
	@ValueSource(classes = { NegativeWait.class, MalformedWait.class, MissingWait.class, WaitWithoutUnit.class })
	void aWaitTimeThatIsNoDurationStopsTheStart(Class<?> type) {
		assertThat(LockContext.refusal(type).description()).contains(type.getName() + ".run()").contains("waitTime");
	}

	@Test
	void aWaitTimeWithoutUnitIsToldToHaveOne() {
		assertThat(LockContext.refusal(WaitWithoutUnit.class)).hasMessageContaining("write \"30s\" or \"30ms\"");
	}

	@ParameterizedTest
	@ValueSource(classes = { BadExpression.class, UnknownName.class, BadText.class, MissingProperty.class })
	void aKeyThatIsNoneStopsTheStart(Class<?> type) {
		assertThat(LockContext.refusal(type).description()).contains(type.getName() + ".run(")
			.contains("has the key '");
	}

	@Test
	void aMissingKeyStopsTheStart() {
		assertThat(LockContext.refusal(NoKey.class).description()).endsWith("NoKey.run() has no key.");
	}

	@ParameterizedTest
	@ValueSource(classes = { TwoKeys.class, TwoKeysOfClass.Declaring.class })
	void twoKeysStopTheStart(Class<?> type) {
		assertThat(LockContext.refusal(type)).hasMessageContaining("TwoKeys")
			.hasMessageContaining("[a]")
			.hasMessageContaining("[b]")
			.hasMessageContaining("either 'value' or 'key'");
	}

	@Test
	void adviceIsToldThatItIsNeverProxied() {
		assertThat(LockContext.refusal(AnnotatedAdvice.class)).hasMessageContaining("AnnotatedAdvice")
			.hasMessageContaining("which Spring never proxies");
	}

	@Test
	void aClassThatIsAnnotatedIsCheckedMethodByMethod() {
		assertThat(LockContext.refusal(ClassWithName.class).description()).contains("ClassWithName.without()")
			.contains("#id");
	}

	@ParameterizedTest
	@ValueSource(
			classes = { PrivateMethod.class, StaticMethod.class, FinalMethod.class, FinalMethodOfAnnotatedClass.class,
					FinalClass.class, FinalAnnotatedClass.class, NotInInterface.class, OtherPackage.class })
	void whatNoProxyCanLockStopsTheStart(Class<?> type) {
		DistributedLockDefinitionException refusal = LockContext.refusal(type);
		assertThat(refusal.description()).contains(type.getName());
		assertThat(refusal.action()).isNotBlank();
	}

	@ParameterizedTest
	@ValueSource(
			classes = { PrivateMethod.class, StaticMethod.class, FinalMethod.class, FinalMethodOfAnnotatedClass.class,
					FinalClass.class, FinalAnnotatedClass.class, NotInInterface.class, OtherPackage.class })
	void whatNoProxyCanLockIsAWarningUnlessStrict(Class<?> type, CapturedOutput output) {
		try (AnnotationConfigApplicationContext context = LockContext.start(LockContext.Lenient.class, type)) {
			assertThat(output).contains(type.getName()).contains("runs unlocked");
		}
	}

	@Test
	void aFinalClassWithAnInterfaceIsLockedByAProxyOfInterfacesOnly() {
		try (AnnotationConfigApplicationContext context = LockContext.start(FinalTask.class)) {
			context.getBean(Runnable.class).run();
			assertThat(LockContext.registry(context).events).hasSize(2);
		}
		assertThat(LockContext.refusal(FinalTask.class, ClassProxies.class).description()).contains("is final");
	}

	@Test
	void anAnnotatedBeanThatIsCreatedLateIsCheckedThen() {
		try (AnnotationConfigApplicationContext context = LockContext.start(LazyBeans.class)) {
			assertThatExceptionOfType(BeanCreationException.class).isThrownBy(() -> context.getBean(BadText.class))
				.withRootCauseInstanceOf(IllegalArgumentException.class)
				.havingCause()
				.isInstanceOf(DistributedLockDefinitionException.class);
		}
	}

	@Test
	void anAnnotatedBeanWithoutAProxyStopsTheStart() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.registerBean(DistributedLockAdvisor.class, () -> new DistributedLockAdvisor(context.getBeanFactory()));
		context.registerBean(DistributedLockPostProcessor.class,
				() -> new DistributedLockPostProcessor(context.getBean(DistributedLockAdvisor.class), true));
		context.register(LockContext.Registry.class, Fine.class);
		assertThat(LockContext.definition(catchThrowable(context::refresh))).hasMessageContaining("has no proxy");
	}

	@Test
	void anApplicationWithoutAnnotatedBeansNeedsNoRegistry() {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.register(LockContext.Locking.class, Plain.class);
		context.refresh();
		assertThat(AopUtils.isAopProxy(context.getBean(Plain.class))).isFalse();
		context.close();
	}

	@Test
	void noBeanIsCreatedTooEarly(CapturedOutput output) {
		try (AnnotationConfigApplicationContext context = LockContext.start(Fine.class)) {
			assertThat(context.isActive()).isTrue();
			assertThat(output).doesNotContain("not eligible");
		}
	}

	@Test
	void annotatedClassesAreRecognizedWithoutARegistry() {
		assertThat(DistributedLockAnnotations.isAnnotated(Fine.class)).isTrue();
		assertThat(DistributedLockAnnotations.isAnnotated(ClassWithName.class)).isTrue();
		assertThat(DistributedLockAnnotations.isAnnotated(PrivateMethod.class)).isTrue();
		assertThat(DistributedLockAnnotations.isAnnotated(DistributedLockTests.InterfaceAnnotated.class)).isTrue();
		assertThat(DistributedLockAnnotations.isAnnotated(Plain.class)).isFalse();
		assertThat(DistributedLockAnnotations.isAnnotated(String.class)).isFalse();
	}

	static class Plain {

		public void run() {
		}

	}

	static class Fine {

		@DistributedLock("fine")
		public void run() {
		}

	}

	static class Suspending {

		@DistributedLock("a")
		public @Nullable Object run(String argument, Continuation<String> continuation) {
			return null;
		}

	}

	static class SkipsInt {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public int run() {
			return 1;
		}

	}

	static class SkipsChar {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public char run() {
			return 'a';
		}

	}

	@NullMarked
	static class SkipsNonNull {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public String run() {
			return "";
		}

	}

	abstract static class CustomList implements List<String> {

	}

	static class SkipsCollectionWithoutConstructor {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public @Nullable CustomList run() {
			return null;
		}

	}

	static class SkipsSingle {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public Single<String> run() {
			return Single.just("");
		}

	}

	static class SkipsFutureOfCollectionWithoutConstructor {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletableFuture<CustomList> run() {
			return CompletableFuture.failedFuture(new IllegalStateException("ran"));
		}

	}

	@NullMarked
	static class SkipsFutureOfNonNull {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletableFuture<Comparable<String>> run() {
			return CompletableFuture.failedFuture(new IllegalStateException("ran"));
		}

	}

	@NullUnmarked
	static class SkipsFutureOfDeclaredNonNull {

		@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
		public CompletionStage<@NonNull String> run() {
			return CompletableFuture.completedFuture("ran");
		}

	}

	@NullMarked
	@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
	static class SkipsFuturesThatMayGiveNull {

		public CompletableFuture<@Nullable String> nullable() {
			return CompletableFuture.completedFuture("ran");
		}

		public Future<Boolean> flag() {
			return CompletableFuture.completedFuture(true);
		}

		public <T> CompletableFuture<T> variable() {
			return CompletableFuture.failedFuture(new IllegalStateException("ran"));
		}

		public CompletionStage<? extends CharSequence> wildcard() {
			return CompletableFuture.completedFuture("ran");
		}

	}

	@NullUnmarked
	@DistributedLock(key = "a", onNotAcquired = NotAcquiredPolicy.SKIP)
	static class SkipsFutureOfUnknownNullness {

		public CompletableFuture<String> unknown() {
			return CompletableFuture.completedFuture("ran");
		}

		public @NonNull CompletableFuture<String> itself() {
			return CompletableFuture.completedFuture("ran");
		}

	}

	static class NegativeWait {

		@DistributedLock(key = "a", waitTime = "-5s")
		public void run() {
		}

	}

	static class MalformedWait {

		@DistributedLock(key = "a", waitTime = "soon")
		public void run() {
		}

	}

	static class WaitWithoutUnit {

		@DistributedLock(key = "a", waitTime = "30")
		public void run() {
		}

	}

	static class MissingWait {

		@DistributedLock(key = "a", waitTime = "${nowhere.to.be.found}")
		public void run() {
		}

	}

	static class NoKey {

		@DistributedLock
		public void run() {
		}

	}

	static class TwoKeys {

		@DistributedLock(value = "a", key = "b")
		public void run() {
		}

	}

	@DistributedLock(value = "a", key = "b")
	static class TwoKeysOfClass {

		public void run() {
		}

		/** As a component, Spring itself would refuse it. */
		@Configuration(proxyBeanMethods = false)
		static class Declaring {

			@Bean
			TwoKeysOfClass twoKeys() {
				return new TwoKeysOfClass();
			}

		}

	}

	static class AnnotatedAdvice implements Advice {

		@DistributedLock("a")
		public void run() {
		}

	}

	static class BadExpression {

		@DistributedLock("a/#{#id +}")
		public void run(long id) {
		}

	}

	static class UnknownName {

		@DistributedLock("a/#{#order}")
		public void run(long id) {
		}

	}

	static class BadText {

		@DistributedLock("a b")
		public void run() {
		}

	}

	static class MissingProperty {

		@DistributedLock("${nowhere.to.be.found}/a")
		public void run() {
		}

	}

	@DistributedLock("a/#{#id}")
	static class ClassWithName {

		public void with(long id) {
		}

		public void without() {
		}

	}

	static class PrivateMethod {

		@DistributedLock("a")
		@SuppressWarnings("UnusedMethod") // it is the annotation that counts
		private void run() {
		}

	}

	static class StaticMethod {

		@DistributedLock("a")
		public static void run() {
		}

	}

	static class FinalMethod {

		@DistributedLock("a")
		public final void run() {
		}

	}

	@DistributedLock("a")
	static class FinalMethodOfAnnotatedClass {

		public void open() {
		}

		public final void run() {
		}

	}

	static final class FinalClass {

		@DistributedLock("a")
		public void run() {
		}

	}

	@DistributedLock("a")
	static final class FinalAnnotatedClass {

		public void run() {
		}

	}

	static class NotInInterface implements Runnable {

		@Override
		public void run() {
		}

		@DistributedLock("a")
		public void other() {
		}

	}

	static class OtherPackage extends io.github.consullock.annotation.other.PackagePrivate {

	}

	static final class FinalTask implements Runnable {

		@Override
		@DistributedLock("a")
		public void run() {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LazyBeans {

		@Bean
		@Lazy
		BadText badText() {
			return new BadText();
		}

	}

	/** As Spring Boot does by default. */
	@Configuration(proxyBeanMethods = false)
	static class ClassProxies {

		@Bean
		static BeanFactoryPostProcessor forceClassProxies() {
			return (beanFactory) -> AopConfigUtils
				.forceAutoProxyCreatorToUseClassProxying((BeanDefinitionRegistry) beanFactory);
		}

	}

}
