package io.github.consullock.autoconfigure;

import java.nio.file.Path;

import io.github.consullock.ConsulRefusedException;
import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.cloud.consul.ConsulAutoConfiguration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A Consul that asks its clients for a certificate, and those with one, without, and with
 * another, all by SSL bundles.
 */
class MutualTlsTests {

	@TempDir
	static Path folder;

	private static Path client;

	private static ConsulServer consul;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class,
				SslAutoConfiguration.class))
		.withPropertyValues("consul.lock.waiting.timeout=1m", "consul.lock.connection.read-timeout=1m",
				"consul.lock.connection.connect-timeout=1m", "consul.lock.connection.ssl-bundle=consul");

	@BeforeAll
	static void start() throws Exception {
		client = stores().client("client");
		consul = ConsulServer.builder()
			.tls()
			.configuration(
					"{ \"verify_incoming_https\": true, \"ca_file\": \"" + stores().certificateOf(client) + "\" }")
			.start();
	}

	@AfterAll
	static void stop() {
		consul.close();
	}

	@Test
	void theClientThatConsulKnowsLocks() throws Exception {
		with(client).run((context) -> {
			assertThat(context).hasNotFailed();
			try (LockHandle handle = registry(context).obtain("mutual").acquire()) {
				assertThat(handle.isHeld()).isTrue();
			}
		});
	}

	@Test
	void aClientWithoutACertificateIsRefusedAndToldWhatToCheck() {
		trusting(consul.caCertificate()).run(isRefused());
	}

	@Test
	void aClientWithACertificateOfAnotherIsRefusedAndToldWhatToCheck() throws Exception {
		with(stores().client("stranger")).run(isRefused());
	}

	@Test
	void aServerOfAnotherAuthorityIsRefused() throws Exception {
		Path other = stores().certificateOf(stores().client("other"));
		with(client).withPropertyValues("spring.ssl.bundle.pem.consul.truststore.certificate=" + other.toUri())
			.run(isRefused());
	}

	private static ContextConsumer<AssertableApplicationContext> isRefused() {
		return (context) -> {
			assertThat(context).hasNotFailed();
			assertThatExceptionOfType(ConsulRefusedException.class)
				.isThrownBy(() -> registry(context).obtain("mutual").acquire())
				.withMessageContaining("consul.lock.connection.ssl-bundle");
		};
	}

	private static ConsulLockRegistry registry(AssertableApplicationContext context) {
		return context.getBean(ConsulLockRegistry.class);
	}

	private ApplicationContextRunner with(Path store) throws Exception {
		return trusting(consul.caCertificate()).withPropertyValues(
				"spring.ssl.bundle.pem.consul.keystore.certificate=" + stores().certificateOf(store).toUri(),
				"spring.ssl.bundle.pem.consul.keystore.private-key=" + stores().privateKeyOf(store).toUri());
	}

	private ApplicationContextRunner trusting(Path certificate) {
		return this.runner.withPropertyValues("consul.lock.connection.url=" + consul.httpsUri(),
				"spring.ssl.bundle.pem.consul.truststore.certificate=" + certificate.toUri());
	}

	private static TestStores stores() {
		return new TestStores(folder);
	}

}
