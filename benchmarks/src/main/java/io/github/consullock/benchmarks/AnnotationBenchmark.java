package io.github.consullock.benchmarks;

import java.util.Objects;
import java.util.concurrent.TimeUnit;

import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Locks and unlocks in memory, by the registry and by annotated methods.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AnnotationBenchmark {

	private @Nullable ConfigurableApplicationContext context;

	private @Nullable ConsulLockRegistry registry;

	private @Nullable Orders orders;

	private int number;

	/** Starts an application in mode {@code local}. */
	@Setup
	public void start() {
		this.context = new SpringApplicationBuilder(Application.class)
			.properties("consul.lock.mode=local", "spring.main.web-application-type=none",
					"spring.main.banner-mode=off", "logging.level.root=error")
			.run();
		this.registry = this.context.getBean(ConsulLockRegistry.class);
		this.orders = this.context.getBean(Orders.class);
	}

	/** Ends the application. */
	@TearDown
	public void end() {
		Objects.requireNonNull(this.context).close();
	}

	/**
	 * Without the annotation.
	 * @return something
	 */
	@Benchmark
	public int registry() {
		try (LockHandle handle = Objects.requireNonNull(this.registry).obtain("orders/42").acquire()) {
			return this.number++;
		}
	}

	/**
	 * With a key that never changes.
	 * @return something
	 */
	@Benchmark
	public int plainKey() {
		return Objects.requireNonNull(this.orders).plainKey(this.number++);
	}

	/**
	 * With a key that is evaluated for each call.
	 * @return something
	 */
	@Benchmark
	public int spelKey() {
		return Objects.requireNonNull(this.orders).spelKey(this.number++ & 1023);
	}

	/**
	 * A bean with annotated methods.
	 */
	public static class Orders {

		/**
		 * Locks a plain key.
		 * @param number something
		 * @return the same
		 */
		@DistributedLock("orders/42")
		public int plainKey(int number) {
			return number;
		}

		/**
		 * Locks a key of the argument.
		 * @param number what goes into the key
		 * @return the same
		 */
		@DistributedLock("orders/#{#number}")
		public int spelKey(int number) {
			return number;
		}

	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	static class Application {

		@Bean
		Orders orders() {
			return new Orders();
		}

	}

}
