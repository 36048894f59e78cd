package io.github.consullock.autoconfigure;

import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.TrustManagerFactory;

import io.github.consullock.LockHandle;
import io.github.consullock.lock.ConsulLockRegistry;
import io.github.consullock.testserver.ConsulServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.boot.ssl.SslManagerBundle;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What an SSL bundle says of the protocol, and what is then agreed upon with a Consul
 * that has TLS.
 */
class TlsOptionsTests {

	@Test
	void theProtocolsAndCiphersOfTheBundleAreUsed() {
		try (ConsulServer consul = ConsulServer.builder().tls().start()) {
			new ApplicationContextRunner()
				.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class,
						ConsulLockAutoConfiguration.class, SslAutoConfiguration.class))
				.withPropertyValues("consul.lock.waiting.timeout=1m",
						"spring.ssl.bundle.pem.consul.truststore.certificate=" + consul.caCertificate().toUri(),
						"spring.ssl.bundle.pem.consul.options.enabled-protocols=TLSv1.2",
						"spring.ssl.bundle.pem.consul.options.ciphers=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,"
								+ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
				.withBean(URI.class, consul::httpsUri)
				.withUserConfiguration(Configured.class)
				.run((context) -> {
					try (LockHandle handle = context.getBean(ConsulLockRegistry.class).obtain("tls").acquire()) {
						assertThat(handle.isHeld()).isTrue();
					}
					assertThat(sessions(context.getBean(Details.class).context)).isNotEmpty().allSatisfy((session) -> {
						assertThat(session.getProtocol()).isEqualTo("TLSv1.2");
						assertThat(session.getCipherSuite()).contains("AES_256_GCM");
					});
				});
		}
	}

	@Configuration(proxyBeanMethods = false)
	static class Configured {

		@Bean
		Details details(URI url, SslBundles bundles) {
			return new Details(url, bundles.getBundle("consul"));
		}

	}

	private static List<SSLSession> sessions(@Nullable SSLContext context) {
		List<SSLSession> sessions = new ArrayList<>();
		if (context != null) {
			SSLSessionContext client = context.getClientSessionContext();
			Collections.list(client.getIds()).forEach((id) -> sessions.add(client.getSession(id)));
		}
		return sessions;
	}

	/** Remembers the context, which knows what was agreed upon. */
	private static final class Details implements ConsulLockConnectionDetails {

		private final URI url;

		private final SslBundle bundle;

		private @Nullable SSLContext context;

		Details(URI url, SslBundle bundle) {
			this.url = url;
			this.bundle = bundle;
		}

		@Override
		public URI getUrl() {
			return this.url;
		}

		@Override
		public SslBundle getSslBundle() {
			SslBundle delegate = this.bundle;
			SslManagerBundle managers = new SslManagerBundle() {

				@Override
				public KeyManagerFactory getKeyManagerFactory() {
					return delegate.getManagers().getKeyManagerFactory();
				}

				@Override
				public TrustManagerFactory getTrustManagerFactory() {
					return delegate.getManagers().getTrustManagerFactory();
				}

				@Override
				public SSLContext createSslContext(String protocol) {
					SSLContext created = delegate.getManagers().createSslContext(protocol);
					Details.this.context = created;
					return created;
				}

			};
			return SslBundle.of(delegate.getStores(), delegate.getKey(), delegate.getOptions(), delegate.getProtocol(),
					managers);
		}

	}

}
