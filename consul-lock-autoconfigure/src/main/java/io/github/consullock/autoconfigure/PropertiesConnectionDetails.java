package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.function.Supplier;

import io.github.consullock.autoconfigure.ConsulLockProperties.Connection;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.cloud.consul.ConsulProperties;
import org.springframework.util.StringUtils;

/**
 * The connection as {@code consul.lock.connection.*} has it, and what that leaves out as
 * {@code spring.cloud.consul.*} has it.
 */
final class PropertiesConnectionDetails implements ConsulLockConnectionDetails {

	private final URI url;

	private final Supplier<@Nullable String> token;

	private final @Nullable SslBundle sslBundle;

	/**
	 * Settles everything but the token.
	 * @param connection our own settings
	 * @param inherited those of Spring Cloud Consul
	 * @param inheritedToken the token of Spring Cloud Consul
	 * @param sslBundles the bundles of the application, if it has any; not asked for
	 * where none is named, since they are made only then
	 * @throws InvalidLockPropertyException if a setting cannot be used
	 */
	PropertiesConnectionDetails(Connection connection, ConsulProperties inherited,
			Supplier<@Nullable String> inheritedToken, Supplier<@Nullable SslBundles> sslBundles) {
		this.url = (connection.url() != null) ? PropertyChecks.url(connection.url()) : inheritedUrl(inherited);
		this.token = token(connection, inheritedToken);
		boolean https = "https".equalsIgnoreCase(this.url.getScheme());
		if (!https && StringUtils.hasText(connection.sslBundle())) {
			throw PropertyChecks.invalid("connection.ssl-bundle", "is '" + connection.sslBundle() + "', but " + this.url
					+ " is no https URL; set consul.lock.connection.url or spring.cloud.consul.scheme, or remove the bundle");
		}
		this.sslBundle = https ? sslBundle(connection, inherited, sslBundles) : null;
	}

	private static URI inheritedUrl(ConsulProperties inherited) {
		String scheme = StringUtils.hasText(inherited.getScheme()) ? inherited.getScheme() : "http";
		if (!scheme.equalsIgnoreCase("http") && !scheme.equalsIgnoreCase("https")) {
			throw new InvalidLockPropertyException(ConsulProperties.PREFIX + ".scheme",
					ConsulProperties.PREFIX + ".scheme must be http or https, but is '" + scheme + "'");
		}
		if (!PropertyChecks.isPort(inherited.getPort())) {
			throw new InvalidLockPropertyException(ConsulProperties.PREFIX + ".port",
					ConsulProperties.PREFIX + ".port must be between 1 and 65535, but is " + inherited.getPort());
		}
		String path = StringUtils.trimLeadingCharacter(
				StringUtils.trimTrailingCharacter((inherited.getPath() != null) ? inherited.getPath() : "", '/'), '/');
		try {
			return new URI(scheme, null, inherited.getHost(), inherited.getPort(), path.isEmpty() ? null : "/" + path,
					null, null)
				.parseServerAuthority();
		}
		catch (URISyntaxException ex) {
			throw new InvalidLockPropertyException(ConsulProperties.PREFIX + ".host", ConsulProperties.PREFIX
					+ ".host must be the name or address of a host, but is '" + inherited.getHost() + "'", ex);
		}
	}

	private static Supplier<@Nullable String> token(Connection connection, Supplier<@Nullable String> inherited) {
		String token = connection.token();
		if (connection.tokenFile() != null && !connection.tokenFile().toString().isEmpty()) {
			if (StringUtils.hasText(token)) {
				throw PropertyChecks.invalid("connection.token-file",
						"and consul.lock.connection.token are both set; remove one of them");
			}
			try {
				return new TokenFile(connection.tokenFile());
			}
			catch (IOException ex) {
				throw new InvalidLockPropertyException("consul.lock.connection.token-file",
						"consul.lock.connection.token-file names '" + connection.tokenFile()
								+ "', from which no token can be read: " + ex,
						ex);
			}
		}
		return StringUtils.hasText(token) ? () -> token : inherited;
	}

	private static @Nullable SslBundle sslBundle(Connection connection, ConsulProperties inherited,
			Supplier<@Nullable SslBundles> sslBundles) {
		if (StringUtils.hasText(connection.sslBundle())) {
			try {
				SslBundles bundles = sslBundles.get();
				if (bundles == null) {
					throw PropertyChecks.invalid("connection.ssl-bundle",
							"is '" + connection.sslBundle() + "', but the application has no SSL bundles");
				}
				return bundles.getBundle(connection.sslBundle());
			}
			catch (NoSuchSslBundleException ex) {
				throw new InvalidLockPropertyException(
						"consul.lock.connection.ssl-bundle", "consul.lock.connection.ssl-bundle is '"
								+ connection.sslBundle() + "', but there is no such bundle under spring.ssl.bundle",
						ex);
			}
		}
		return (inherited.getTls() != null) ? SpringCloudTls.bundle(inherited.getTls()) : null;
	}

	@Override
	public URI getUrl() {
		return this.url;
	}

	@Override
	public @Nullable String getToken() {
		return this.token.get();
	}

	@Override
	public @Nullable SslBundle getSslBundle() {
		return this.sslBundle;
	}

}
