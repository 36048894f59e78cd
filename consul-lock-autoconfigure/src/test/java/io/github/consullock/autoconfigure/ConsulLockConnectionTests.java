package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.autoconfigure.ConfigurationPropertiesRebinderAutoConfiguration;
import org.springframework.cloud.commons.util.UtilAutoConfiguration;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.cloud.consul.discovery.ConsulDiscoveryProperties;
import org.springframework.cloud.consul.serviceregistry.ConsulServiceRegistryAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What {@code consul.lock.connection.*} leaves out is what Spring Cloud Consul uses.
 */
class ConsulLockConnectionTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class,
				SslAutoConfiguration.class, ConfigurationPropertiesRebinderAutoConfiguration.class));

	private final ApplicationContextRunner runnerWithDiscovery = this.runner.withConfiguration(
			AutoConfigurations.of(UtilAutoConfiguration.class, ConsulServiceRegistryAutoConfiguration.class));

	private final ApplicationContextRunner runnerWithoutDiscovery = this.runner.withClassLoader(new FilteredClassLoader(
			"org.springframework.cloud.consul.discovery", "org.springframework.cloud.consul.serviceregistry"));

	@TempDir
	Path directory;

	@Test
	void nothingSetIsTheAgentOnThisHost() {
		this.runner.run((context) -> {
			ConsulLockConnectionDetails details = context.getBean(ConsulLockConnectionDetails.class);
			assertThat(details.getUrl()).isEqualTo(URI.create("http://localhost:8500"));
			assertThat(details.getToken()).isNull();
			assertThat(details.getSslBundle()).isNull();
		});
	}

	@Test
	void theAddressIsThatOfSpringCloudConsul() {
		this.runner
			.withPropertyValues("spring.cloud.consul.host=consul.example", "spring.cloud.consul.port=8501",
					"spring.cloud.consul.scheme=https", "spring.cloud.consul.path=/base/path/")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getUrl())
				.isEqualTo(URI.create("https://consul.example:8501/base/path")));
	}

	@Test
	void anAddressMayBeOfIpVersion6() {
		this.runner.withPropertyValues("spring.cloud.consul.host=::1")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getUrl())
				.isEqualTo(URI.create("http://[::1]:8500")));
	}

	@Test
	void theAddressIsThatOfSpringCloudConsulEvenWhereThatIsSwitchedOff() {
		this.runner
			.withPropertyValues("spring.cloud.consul.enabled=false", "spring.cloud.consul.host=consul.example",
					"spring.cloud.consul.token=secret")
			.run((context) -> {
				ConsulLockConnectionDetails details = context.getBean(ConsulLockConnectionDetails.class);
				assertThat(details.getUrl()).isEqualTo(URI.create("http://consul.example:8500"));
				assertThat(details.getToken()).isEqualTo("secret");
			});
	}

	@Test
	void aUrlOfOurOwnGoesFirst() {
		this.runner
			.withPropertyValues("spring.cloud.consul.host=other", "spring.cloud.consul.port=0",
					"consul.lock.connection.url=http://consul.example:8500/base")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getUrl())
				.isEqualTo(URI.create("http://consul.example:8500/base")));
	}

	@ParameterizedTest
	@CsvSource({ "spring.cloud.consul.token", "spring.cloud.consul.discovery.acl-token", "consul.token",
			"CONSUL_TOKEN" })
	void theTokenIsThatOfDiscovery(String property) {
		this.runnerWithDiscovery.withPropertyValues(property + "=secret").run((context) -> {
			assertThat(context).hasSingleBean(ConsulDiscoveryProperties.class);
			assertThat(context.getBean(ConsulLockConnectionDetails.class).getToken()).isEqualTo("secret");
		});
	}

	@ParameterizedTest
	@CsvSource({ "spring.cloud.consul.token", "spring.cloud.consul.discovery.acl-token", "consul.token",
			"CONSUL_TOKEN" })
	void theTokenIsFoundWithoutDiscovery(String property) {
		this.runnerWithoutDiscovery.withPropertyValues(property + "=secret")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getToken())
				.isEqualTo("secret"));
	}

	@Test
	void aTokenThatDiscoveryIsGivenLaterIsUsed() {
		this.runnerWithDiscovery.withPropertyValues("spring.cloud.consul.token=old").run((context) -> {
			ConsulLockConnectionDetails details = context.getBean(ConsulLockConnectionDetails.class);
			assertThat(details.getToken()).isEqualTo("old");
			context.getBean(ConsulDiscoveryProperties.class).setAclToken("new");
			assertThat(details.getToken()).isEqualTo("new");
		});
	}

	@Test
	void aTokenOfOurOwnGoesFirst() {
		this.runnerWithDiscovery
			.withPropertyValues("spring.cloud.consul.token=other", "consul.lock.connection.token=secret")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getToken())
				.isEqualTo("secret"));
	}

	@Test
	void theTokenMayBeInAFile() throws IOException {
		Path file = Files.writeString(this.directory.resolve("token"), "secret\n");
		this.runner.withPropertyValues("spring.cloud.consul.token=other", "consul.lock.connection.token-file=" + file)
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getToken())
				.isEqualTo("secret"));
	}

	@Test
	void emptyPropertiesAreNotSet() {
		this.runner
			.withPropertyValues("spring.cloud.consul.token=secret", "consul.lock.connection.url=",
					"consul.lock.connection.token=", "consul.lock.connection.token-file=",
					"consul.lock.connection.ssl-bundle=", "consul.lock.connection.datacenter=")
			.run((context) -> {
				ConsulLockConnectionDetails details = context.getBean(ConsulLockConnectionDetails.class);
				assertThat(details.getUrl()).isEqualTo(URI.create("http://localhost:8500"));
				assertThat(details.getToken()).isEqualTo("secret");
			});
	}

	@Test
	void aBeanReplacesTheProperties() {
		this.runner.withUserConfiguration(OwnDetails.class)
			.withPropertyValues("consul.lock.connection.url=nonsense")
			.run((context) -> assertThat(context.getBean(ConsulLockConnectionDetails.class).getUrl())
				.isEqualTo(URI.create("http://own.example:1234")));
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnDetails {

		@Bean
		ConsulLockConnectionDetails ownDetails() {
			return () -> URI.create("http://own.example:1234");
		}

	}

}
