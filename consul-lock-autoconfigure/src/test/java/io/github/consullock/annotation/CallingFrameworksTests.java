package io.github.consullock.annotation;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.github.consullock.LockHandle;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;

import org.springframework.aop.support.AopUtils;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.setup.MockMvcBuilders;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Methods that a framework calls: it does so on the bean's proxy, and finds its own
 * annotations through it.
 */
@Timeout(120)
class CallingFrameworksTests {

	@Test
	void aScheduledMethodIsLockedAroundItsTransaction() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, Job.class)) {
			List<String> events = LockContext.registry(context).events;
			await().until(() -> events.size() == 5);
			assertThat(events).containsExactly("acquire locks/job", "begin", "body under locks/job", "commit",
					"release locks/job");
		}
	}

	@Test
	void anEventListenerIsLockedAroundItsTransaction() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, Listener.class)) {
			context.publishEvent(new Shipped(7));
			assertThat(LockContext.registry(context).events).containsExactly("acquire locks/shipped/7", "begin",
					"body under locks/shipped/7", "commit", "release locks/shipped/7");
		}
	}

	@Test
	void aTransactionalEventListenerIsLockedAroundItsTransaction() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class,
				TransactionalListener.class, Publisher.class)) {
			context.getBean(Publisher.class).publish(7);
			assertThat(LockContext.registry(context).events).containsExactly("begin", "published", "commit",
					"acquire locks/shipped/7", "begin", "body under locks/shipped/7", "commit",
					"release locks/shipped/7");
			assertThat(LockContext.registry(context).isFree()).isTrue();
		}
	}

	@Test
	void aTransactionalEventListenerComesTooLateToBeLockedUntilTheEndOfTheTransaction() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class,
				PlainTransactionalListener.class, Publisher.class)) {
			context.getBean(Publisher.class).publish(7);
			assertThat(LockContext.registry(context).events).containsExactly("begin", "published",
					"acquire locks/before/7", "body under locks/before/7", "commit", "acquire locks/after/7",
					"body under locks/after/7", "release locks/after/7", "release locks/before/7");
		}
	}

	@Test
	void aReactiveScheduledMethodIsLockedAtEachRun() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, ReactiveJob.class)) {
			List<String> events = LockContext.registry(context).events;
			await().until(() -> events.size() >= 6);
			assertThat(events).startsWith("acquire locks/job", "body under locks/job", "release locks/job",
					"acquire locks/job", "body under locks/job", "release locks/job");
		}
	}

	@Test
	void anAsyncMethodIsLockedUntilItsFutureIsDone() throws Exception {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, AsyncJob.class)) {
			assertThat(context.getBean(AsyncJob.class).run(null).get()).isEqualTo("under locks/job");
			assertThat(LockContext.registry(context).events).containsExactly("acquire locks/job", "release locks/job");
		}
	}

	@Test
	void aControllerMethodIsLockedAroundItsTransaction() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, Controller.class)) {
			Controller controller = context.getBean(Controller.class);
			assertThat(AopUtils.isCglibProxy(controller)).isTrue();
			MockMvcTester mvc = MockMvcTester.create(MockMvcBuilders.standaloneSetup(controller).build());
			assertThat(mvc.get().uri("/ship/7")).hasStatusOk().hasBodyTextEqualTo("shipped 7");
			assertThat(LockContext.registry(context).events).containsExactly("acquire locks/orders/7", "begin",
					"body under locks/orders/7", "commit", "release locks/orders/7");
		}
	}

	@Test
	void aControllerMethodWhoseLockIsHeldElsewhereAnswersByItsFallback() {
		try (AnnotationConfigApplicationContext context = LockContext.start(Surroundings.class, Controller.class);
				LockHandle other = LockContext.registry(context).obtain("orders/7").acquire()) {
			assertThat(other.remaining()).isGreaterThan(Duration.ZERO);
			MockMvcTester mvc = MockMvcTester
				.create(MockMvcBuilders.standaloneSetup(context.getBean(Controller.class)).build());
			assertThat(mvc.get().uri("/ship/7")).hasStatusOk().hasBodyTextEqualTo("7 is being shipped");
		}
	}

	record Shipped(long id) {

	}

	static class Recorder {

		private final List<String> events;

		Recorder(FakeLockRegistry registry) {
			this.events = registry.events;
		}

		void body() {
			this.events.add("body under " + LockHandle.current().key());
		}

	}

	static class Job {

		private final Recorder recorder;

		Job(Recorder recorder) {
			this.recorder = recorder;
		}

		@Scheduled(fixedDelayString = "P1D")
		@DistributedLock(key = "job", waitTime = "0s", onNotAcquired = NotAcquiredPolicy.SKIP)
		@Transactional
		public void run() {
			this.recorder.body();
		}

	}

	static class Listener {

		private final Recorder recorder;

		Listener(Recorder recorder) {
			this.recorder = recorder;
		}

		@EventListener
		@DistributedLock("shipped/#{#event.id}")
		@Transactional
		public void on(Shipped event) {
			this.recorder.body();
		}

	}

	static class Publisher {

		private final ApplicationEventPublisher publisher;

		private final FakeLockRegistry registry;

		Publisher(ApplicationEventPublisher publisher, FakeLockRegistry registry) {
			this.publisher = publisher;
			this.registry = registry;
		}

		@Transactional
		public void publish(long id) {
			this.publisher.publishEvent(new Shipped(id));
			this.registry.events.add("published");
		}

	}

	static class TransactionalListener {

		private final Recorder recorder;

		TransactionalListener(Recorder recorder) {
			this.recorder = recorder;
		}

		@TransactionalEventListener
		@DistributedLock("shipped/#{#event.id}")
		@Transactional(propagation = Propagation.REQUIRES_NEW)
		public void on(Shipped event) {
			this.recorder.body();
		}

	}

	static class PlainTransactionalListener {

		private final Recorder recorder;

		PlainTransactionalListener(Recorder recorder) {
			this.recorder = recorder;
		}

		@TransactionalEventListener
		@DistributedLock("after/#{#event.id}")
		public void after(Shipped event) {
			this.recorder.body();
		}

		@TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
		@DistributedLock("before/#{#event.id}")
		public void before(Shipped event) {
			this.recorder.body();
		}

	}

	static class ReactiveJob {

		private final Recorder recorder;

		ReactiveJob(Recorder recorder) {
			this.recorder = recorder;
		}

		@Scheduled(fixedDelay = 1)
		@DistributedLock("job")
		public Mono<String> run() {
			this.recorder.body();
			return Mono.empty();
		}

	}

	static class AsyncJob {

		@Async
		@DistributedLock("job")
		public CompletableFuture<String> run(@Nullable LockHandle handle) {
			return CompletableFuture.supplyAsync(() -> "under " + handle.key());
		}

	}

	@RestController
	static class Controller {

		private final Recorder recorder;

		Controller(Recorder recorder) {
			this.recorder = recorder;
		}

		@GetMapping("/ship/{id}")
		@DistributedLock(key = "orders/#{#id}", fallback = "busy")
		@Transactional
		public String ship(@PathVariable long id) {
			this.recorder.body();
			return "shipped " + id;
		}

		String busy(long id) {
			return id + " is being shipped";
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAsync
	@EnableScheduling
	@EnableTransactionManagement
	static class Surroundings {

		@Bean
		Recorder recorder(FakeLockRegistry registry) {
			return new Recorder(registry);
		}

		@Bean
		PlatformTransactionManager transactionManager(FakeLockRegistry registry) {
			return new RecordingTransactions(registry.events);
		}

	}

}
