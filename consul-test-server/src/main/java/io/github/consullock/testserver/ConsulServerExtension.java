package io.github.consullock.testserver;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests a real Consul, started when the first of them asks and shared by all tests
 * of the run, and each test a key prefix of its own. Both are parameters of test methods,
 * lifecycle methods and constructors:
 *
 * <pre class="code">
 * &#64;ConsulTest
 * class OrderTests {
 *
 *     &#64;Test
 *     void shipsOnce(ConsulServer consul, KeyPrefix keys) { ... }
 *
 * }
 * </pre>
 *
 * A {@link KeyPrefix} is the same in a test and in its {@code @BeforeEach} and
 * {@code @AfterEach} methods; constructors and {@code @BeforeAll} methods get another,
 * that of the class. The shared server is one without ACL and TLS and must not be frozen
 * or stopped: a test that wants to starts its own with {@link ConsulServer#builder()}.
 * <p>
 * The server ends with the run, or right after the JVM where an application context used
 * it as well.
 *
 * @since 0.1.0
 * @see ConsulTest
 * @see ConsulServerTestConfiguration
 */
public final class ConsulServerExtension implements ParameterResolver {

	private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace
		.create(ConsulServerExtension.class);

	@Override
	public boolean supportsParameter(ParameterContext parameterContext, ExtensionContext extensionContext) {
		Class<?> type = parameterContext.getParameter().getType();
		return type == ConsulServer.class || type == KeyPrefix.class;
	}

	@Override
	public Object resolveParameter(ParameterContext parameterContext, ExtensionContext extensionContext) {
		if (parameterContext.getParameter().getType() == KeyPrefix.class) {
			// By id: a store also looks into those of the contexts around it.
			return extensionContext.getStore(NAMESPACE)
				.computeIfAbsent(extensionContext.getUniqueId(), (id) -> KeyPrefix.unique(), KeyPrefix.class);
		}
		return extensionContext.getRoot()
			.getStore(NAMESPACE)
			.computeIfAbsent(RunningServer.class, (type) -> new RunningServer(SharedConsulServer.get()),
					RunningServer.class)
			.server();
	}

	/**
	 * Closed by JUnit at the end of the run.
	 *
	 * @param server the shared server
	 */
	private record RunningServer(ConsulServer server) implements AutoCloseable {

		@Override
		public void close() {
			SharedConsulServer.closeUnlessKept();
		}

	}

}
