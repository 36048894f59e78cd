package io.github.consullock.autoconfigure;

import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import org.springframework.core.env.Environment;
import org.springframework.util.StringUtils;

/**
 * The ACL token that Spring Cloud Consul uses: that of discovery, where there is such a
 * bean, else what the settings say from which discovery would take it. Looked up each
 * time, since a refresh may change it.
 */
final class InheritedToken implements Supplier<@Nullable String> {

	private static final String[] PROPERTIES = { "spring.cloud.consul.discovery.acl-token", "consul.token",
			"CONSUL_TOKEN", "spring.cloud.consul.token", "SPRING_CLOUD_CONSUL_TOKEN" };

	private final Environment environment;

	private final Supplier<@Nullable String> discovery;

	InheritedToken(Environment environment, Supplier<@Nullable String> discovery) {
		this.environment = environment;
		this.discovery = discovery;
	}

	@Override
	public @Nullable String get() {
		String token = this.discovery.get();
		for (int i = 0; !StringUtils.hasText(token) && i < PROPERTIES.length; i++) {
			token = this.environment.getProperty(PROPERTIES[i]);
		}
		return StringUtils.hasText(token) ? token : null;
	}

}
