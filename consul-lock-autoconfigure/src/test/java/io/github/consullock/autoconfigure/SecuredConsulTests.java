package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.LockHandle;
import io.github.consullock.annotation.DistributedLock;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.cloud.consul.ConsulAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A Consul with ACL and TLS, reached by each way of configuring them.
 */
class SecuredConsulTests {

	/** What the documentation says a token needs. */
	private static final String RULES = """
			key_prefix "locks/" { policy = "write" }
			session_prefix "" { policy = "write" }
			""";

	private static final ContextConsumer<AssertableApplicationContext> LOCKS = (context) -> {
		assertThat(context).hasNotFailed();
		try (LockHandle handle = context.getBean(ConsulLockRegistry.class).obtain("secured").acquire()) {
			assertThat(handle.isHeld()).isTrue();
		}
	};

	@TempDir
	static Path directory;

	private static ConsulServer consul;

	private static String token;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class,
				SslAutoConfiguration.class))
		.withPropertyValues("consul.lock.waiting.timeout=1m");

	@BeforeAll
	static void startConsul() {
		consul = ConsulServer.builder().acl().tls().start();
		token = consul.createToken(RULES);
	}

	@AfterAll
	static void stopConsul() {
		consul.close();
	}

	@Test
	void anSslBundleAndATokenOfOurOwn() {
		overTls().withPropertyValues("consul.lock.connection.token=" + token).run(LOCKS);
	}

	@Test
	void aTokenInAFile() throws IOException {
		Path file = Files.writeString(directory.resolve("token"), token + "\n");
		overTls().withPropertyValues("consul.lock.connection.token-file=" + file).run(LOCKS);
	}

	// Spring Cloud Consul itself opens the client's key with the trust store's password.
	@ParameterizedTest
	@CsvSource({ "true, client-secret", "false, trust-secret" })
	void everythingInheritedFromSpringCloudConsul(boolean enabled, String trustPassword) throws Exception {
		this.runner
			.withPropertyValues("spring.cloud.consul.enabled=" + enabled, "spring.cloud.consul.scheme=https",
					"spring.cloud.consul.host=" + consul.host(),
					"spring.cloud.consul.port=" + consul.httpsUri().getPort(), "spring.cloud.consul.token=" + token,
					"spring.cloud.consul.tls.key-store-instance-type=PKCS12",
					"spring.cloud.consul.tls.certificate-path=" + stores().client("client"),
					"spring.cloud.consul.tls.certificate-password=client-secret",
					"spring.cloud.consul.tls.key-store-path="
							+ stores().trusting(consul.caCertificate(), trustPassword),
					"spring.cloud.consul.tls.key-store-password=" + trustPassword)
			.run(LOCKS);
	}

	@Test
	void withoutATokenTheFirstLockIsRefused() {
		overTls().run(isRefused("consul.lock.connection.token"));
	}

	@Test
	void withAnUnknownTokenEachLockIsRefused() {
		overTls().withPropertyValues("consul.lock.connection.token=" + UUID.randomUUID())
			.withBean(Audit.class)
			.run((context) -> {
				isRefused("consul.lock.connection.token", "ACL not found").accept(context);
				AtomicBoolean ran = new AtomicBoolean();
				assertThatExceptionOfType(ConsulRefusedException.class)
					.isThrownBy(() -> context.getBean(Audit.class).write(() -> ran.set(true)))
					.withMessageContainingAll("consul.lock.connection.token", "ACL not found");
				assertThat(ran).isFalse();
			});
	}

	@Test
	void withoutTrustTheFirstLockIsRefused() {
		this.runner
			.withPropertyValues("consul.lock.connection.url=" + consul.httpsUri(),
					"consul.lock.connection.token=" + token)
			.run(isRefused("consul.lock.connection.ssl-bundle"));
	}

	/** The application starts; what is locked says what to change. */
	private static ContextConsumer<AssertableApplicationContext> isRefused(String... message) {
		return (context) -> {
			assertThat(context).hasNotFailed();
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> context.getBean(ConsulLockRegistry.class).obtain("secured").acquire())
				.withMessageContainingAll(message);
		};
	}

	private ApplicationContextRunner overTls() {
		return this.runner.withPropertyValues("consul.lock.connection.url=" + consul.httpsUri(),
				"spring.ssl.bundle.pem.consul.truststore.certificate=" + consul.caCertificate().toUri(),
				"consul.lock.connection.ssl-bundle=consul");
	}

	private static TestStores stores() {
		return new TestStores(directory);
	}

	static class Audit {

		@DistributedLock("audit")
		public void write(Runnable body) {
			body.run();
		}

	}

}
