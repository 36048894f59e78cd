package io.github.consullock.annotation;

import java.io.File;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;

import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * What there is without the optional libraries: futures are, publishers are not.
 */
class WithoutReactorTests {

	@Test
	void futuresAreLockedAndPublishersAreRefused() throws Exception {
		Thread thread = Thread.currentThread();
		ClassLoader usual = thread.getContextClassLoader();
		try (URLClassLoader bare = new URLClassLoader(withoutOptionalLibraries(),
				ClassLoader.getPlatformClassLoader())) {
			thread.setContextClassLoader(bare);
			Method run = bare.loadClass(Application.class.getName()).getDeclaredMethod("run");
			run.setAccessible(true);
			assertThat(run.invoke(null)).asString()
				.startsWith("locked; ")
				.contains("Publishing.run() returns")
				.contains("cannot be locked without Reactor")
				.contains("io.projectreactor:reactor-core");
		}
		finally {
			thread.setContextClassLoader(usual);
		}
	}

	private static URL[] withoutOptionalLibraries() {
		return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
			.filter((entry) -> !Path.of(entry)
				.getFileName()
				.toString()
				.matches("(reactor|reactive-streams|context-propagation|kotlin|rxjava|mutiny).*jar"))
			.map(WithoutReactorTests::url)
			.toArray(URL[]::new);
	}

	private static URL url(String entry) {
		try {
			return Path.of(entry).toUri().toURL();
		}
		catch (MalformedURLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/** Runs where the libraries are not. */
	static class Application {

		static String run() throws Exception {
			String result;
			try (AnnotationConfigApplicationContext context = LockContext.start(Waiting.class)) {
				result = context.getBean(Waiting.class).run().get();
			}
			return result + "; "
					+ LockContext.definition(catchThrowable(() -> LockContext.start(Publishing.class))).getMessage();
		}

	}

	static class Waiting {

		@DistributedLock("a")
		public CompletableFuture<String> run() {
			return CompletableFuture.completedFuture("locked");
		}

	}

	static class Publishing {

		@DistributedLock("a")
		public Flow.Publisher<String> run() {
			return (subscriber) -> {
			};
		}

	}

}
