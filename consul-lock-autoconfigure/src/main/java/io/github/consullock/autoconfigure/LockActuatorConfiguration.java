package io.github.consullock.autoconfigure;

import java.util.Locale;
import java.util.regex.Pattern;

import org.springframework.boot.actuate.endpoint.SanitizingFunction;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Keeps Consul's tokens out of the {@code env} and {@code configprops} endpoints, also
 * where these show the values of properties.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(SanitizingFunction.class)
class LockActuatorConfiguration {

	private static final Pattern SEPARATORS = Pattern.compile("[-_.]");

	@Bean
	static SanitizingFunction consulTokenSanitizingFunction() {
		return (data) -> isToken(data.getKey()) ? data.withSanitizedValue() : data;
	}

	/** In whatever form: CONSUL_HTTP_TOKEN, spring.cloud.consul.discovery.acl-token. */
	private static boolean isToken(String property) {
		String name = SEPARATORS.matcher(property).replaceAll("").toLowerCase(Locale.ROOT);
		return name.contains("consul") && name.endsWith("token");
	}

}
