package io.github.consullock.autoconfigure;

import java.net.URI;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.service.connection.ConnectionDetails;
import org.springframework.boot.ssl.SslBundle;

/**
 * Where Consul is, and with which credentials it is asked. A bean of this type replaces
 * {@code consul.lock.connection.url}, {@code token}, {@code token-file} and
 * {@code ssl-bundle}, and what {@code spring.cloud.consul.*} says about them.
 *
 * @since 0.1.0
 */
public interface ConsulLockConnectionDetails extends ConnectionDetails {

	/**
	 * The URL of the agent, with the path below which the API is served, if any.
	 */
	URI getUrl();

	/**
	 * The ACL token, or {@code null} for none. Asked anew for each request, by several
	 * threads at once, so that a token can be rotated.
	 */
	default @Nullable String getToken() {
		return null;
	}

	/**
	 * What an https URL needs to be trusted, or {@code null} for the JVM's defaults.
	 */
	default @Nullable SslBundle getSslBundle() {
		return null;
	}

}
