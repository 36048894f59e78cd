package io.github.consullock.autoconfigure;

import java.io.PrintWriter;
import java.io.StringWriter;

import io.github.consullock.ConsulUnavailableException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.cloud.consul.ConsulAutoConfiguration;
import org.springframework.mock.env.MockEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What cannot work stops the start, and names the property.
 */
class PropertyChecksTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(AutoConfigurations
		.of(ConsulAutoConfiguration.class, ConsulLockAutoConfiguration.class, SslAutoConfiguration.class));

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '"',
			textBlock = """
					consul.lock.session.ttl=5s               | consul.lock.session.ttl must be between 10s and 24h
					consul.lock.session.ttl=25h              | consul.lock.session.ttl must be between 10s and 24h
					consul.lock.session.ttl=40s              | consul.lock.session.lock-delay (25s) must not be below
					consul.lock.session.lock-delay=10s       | consul.lock.session.allow-unsafe=true
					consul.lock.session.lock-delay=61s       | consul.lock.session.lock-delay must be between 0s and 60s
					consul.lock.session.behavior=delete      | consul.lock.session.allow-unsafe=true
					consul.lock.session.safety-margin=-1s    | consul.lock.session.safety-margin must be between
					consul.lock.session.safety-margin=20s    | consul.lock.session.safety-margin must be between
					consul.lock.session.bind-to-service=true | consul.lock.session.bind-to-service is true, but
					consul.lock.key-prefix=                  | consul.lock.key-prefix must be a path that ends with '/'
					consul.lock.key-prefix=locks             | consul.lock.key-prefix must be a path that ends with '/'
					consul.lock.key-prefix=/                 | consul.lock.key-prefix must be a path that ends with '/'
					consul.lock.key-prefix=/locks/           | consul.lock.key-prefix is '/locks/', under which no key is valid
					consul.lock.key-prefix=locks//           | consul.lock.key-prefix is 'locks//', under which no key is valid
					consul.lock.key-prefix=a b/              | consul.lock.key-prefix is 'a b/', under which no key is valid
					consul.lock.key-prefix=a/../b/           | consul.lock.key-prefix is 'a/../b/', under which no key is valid
					consul.lock.key-prefix=a/.consul-lock/   | consul-lock keeps the segment '.consul-lock' for itself
					consul.lock.shutdown-timeout=-1s         | consul.lock.shutdown-timeout must be between 0s and
					consul.lock.waiting.timeout=-1s          | consul.lock.waiting.timeout must be between 0s and
					consul.lock.waiting.max-watches=0        | consul.lock.waiting.max-watches must be at least 1, but is 0
					consul.lock.waiting.slow-threshold=0s    | consul.lock.waiting.slow-threshold must be between 1ms and
					consul.lock.connection.connect-timeout=0s | consul.lock.connection.connect-timeout must be between 1ms and
					consul.lock.connection.read-timeout=-5s  | consul.lock.connection.read-timeout must be between 1ms and
					consul.lock.connection.url=localhost:8500 | consul.lock.connection.url must be an http or https URL
					consul.lock.connection.url=ftp://host    | consul.lock.connection.url must be an http or https URL
					consul.lock.connection.url=http://host?a=b | consul.lock.connection.url must be an http or https URL
					consul.lock.connection.url=http://host:99999 | consul.lock.connection.url has the port 99999
					consul.lock.connection.token-file=/no/such/file | consul.lock.connection.token-file names '/no/such/file'
					consul.lock.connection.ssl-bundle=mine   | consul.lock.connection.ssl-bundle is 'mine', but http://localhost:8500 is no https URL
					spring.cloud.consul.port=99999           | spring.cloud.consul.port must be between 1 and 65535
					spring.cloud.consul.scheme=ftp           | spring.cloud.consul.scheme must be http or https
					spring.cloud.consul.host=no host         | spring.cloud.consul.host must be the name or address of a host
					""")
	void aValueThatCannotWorkStopsTheStart(String property, String message) {
		this.runner.withPropertyValues(property).run((context) -> {
			assertThat(context).hasFailed();
			assertThat(context.getStartupFailure())
				.hasStackTraceContaining(InvalidLockPropertyException.class.getName())
				.hasStackTraceContaining(message);
		});
	}

	@ParameterizedTest
	@CsvSource({ "consul.lock.session.behavior=delete", "consul.lock.session.lock-delay=0s",
			"consul.lock.session.ttl=40s" })
	void whatBreaksAPromiseIsAllowedToThoseWhoAskForIt(String property) {
		this.runner.withPropertyValues(property, "consul.lock.session.allow-unsafe=true")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void aTokenAndATokenFileContradictEachOther() {
		this.runner
			.withPropertyValues("consul.lock.connection.token=secret", "consul.lock.connection.token-file=/some/file")
			.run((context) -> assertThat(context.getStartupFailure())
				.hasStackTraceContaining("consul.lock.connection.token are both set")
				.satisfies((failure) -> assertThat(failure.toString()).doesNotContain("secret")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://admin:s3cret@host", "ftp://admin:s3cret@host", "http://admin:s3cret@no_host" })
	void aUserInTheUrlIsRefusedAndItsPasswordNotShown(String url) {
		this.runner.withPropertyValues("consul.lock.connection.url=" + url)
			.run((context) -> assertThat(context.getStartupFailure())
				.hasStackTraceContaining("consul.lock.connection.url must be an http or https URL")
				.satisfies((failure) -> assertThat(stackTrace(failure)).doesNotContain("s3cret")));
	}

	@Test
	void theReportOfAConsulThatIsNotThereShowsNoPassword() {
		MockEnvironment environment = new MockEnvironment().withProperty("consul.lock.connection.url",
				"http://admin:s3cret@host");
		FailureAnalysis analysis = new ConsulUnavailableFailureAnalyzer(environment)
			.analyze(new ConsulUnavailableException("No answer"));
		assertThat(analysis.getAction()).contains("at http://host,").doesNotContain("s3cret");
	}

	@Test
	void thePropertiesAsTextHoldNoCredentials() {
		this.runner.withPropertyValues("consul.lock.connection.token=s3cret", "consul.lock.connection.datacenter=dc7")
			.run((context) -> assertThat(context.getBean(ConsulLockProperties.class).toString()).contains("dc7")
				.doesNotContain("s3cret"));
	}

	private static String stackTrace(Throwable failure) {
		StringWriter text = new StringWriter();
		failure.printStackTrace(new PrintWriter(text));
		return text.toString();
	}

	@Test
	void anUnknownSslBundleIsNamed() {
		this.runner
			.withPropertyValues("consul.lock.connection.url=https://host", "consul.lock.connection.ssl-bundle=mine")
			.run((context) -> assertThat(context.getStartupFailure())
				.hasStackTraceContaining("consul.lock.connection.ssl-bundle is 'mine', but there is no such bundle"));
	}

	@Test
	void aStoreOfSpringCloudConsulThatCannotBeOpenedIsNamed() {
		this.runner
			.withPropertyValues("spring.cloud.consul.enabled=false", "spring.cloud.consul.scheme=https",
					"spring.cloud.consul.tls.key-store-path=/no/such/file")
			.run((context) -> assertThat(context.getStartupFailure())
				.hasStackTraceContaining("spring.cloud.consul.tls.key-store-path names '/no/such/file'"));
	}

}
