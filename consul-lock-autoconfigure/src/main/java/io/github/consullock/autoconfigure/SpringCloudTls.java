package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.UnrecoverableKeyException;
import java.util.Collections;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslBundleKey;
import org.springframework.boot.ssl.SslStoreBundle;
import org.springframework.cloud.consul.ConsulProperties.TLSConfig;

/**
 * Turns {@code spring.cloud.consul.tls.*} into an SSL bundle, with the meaning Spring
 * Cloud Consul gives its names: "certificate" is the store with the client's certificate
 * and key, of the given type, "key store" is the trust store, always a JKS.
 */
final class SpringCloudTls {

	private static final String PREFIX = "spring.cloud.consul.tls";

	private SpringCloudTls() {
	}

	/**
	 * Loads the stores.
	 * @param tls the settings; a store without a path is left out, and the JVM's default
	 * serves
	 * @return the bundle
	 * @throws InvalidLockPropertyException if a store cannot be opened
	 */
	static SslBundle bundle(TLSConfig tls) {
		String type = (tls.getKeyStoreInstanceType() != null) ? tls.getKeyStoreInstanceType().name() : "PKCS12";
		KeyStore certificate = load("certificate", type, tls.getCertificatePath(), tls.getCertificatePassword());
		KeyStore trusted = load("key-store", "JKS", tls.getKeyStorePath(), tls.getKeyStorePassword());
		String keyPassword = (certificate != null)
				? keyPassword(certificate, tls.getCertificatePassword(), tls.getKeyStorePassword()) : null;
		return SslBundle.of(SslStoreBundle.of(certificate, tls.getCertificatePassword(), trusted),
				(keyPassword != null) ? SslBundleKey.of(keyPassword) : SslBundleKey.NONE);
	}

	private static @Nullable KeyStore load(String name, String type, @Nullable String path, @Nullable String password) {
		if (path == null || path.isBlank()) {
			return null;
		}
		try (InputStream in = Files.newInputStream(Path.of(path))) {
			KeyStore store = KeyStore.getInstance(type);
			store.load(in, (password != null) ? password.toCharArray() : null);
			return store;
		}
		catch (IOException | GeneralSecurityException ex) {
			throw new InvalidLockPropertyException(PREFIX + "." + name + "-path",
					PREFIX + "." + name + "-path names '" + path + "', which cannot be opened as a store of type "
							+ type + " with " + PREFIX + "." + name + "-password: " + ex,
					ex);
		}
	}

	// Spring Cloud Consul opens the key with the trust store's password, other clients
	// with that of the store the key is in.
	private static @Nullable String keyPassword(KeyStore store, @Nullable String own, @Nullable String other) {
		if (own == null || other == null) {
			return (own != null) ? own : other;
		}
		try {
			for (String alias : Collections.list(store.aliases())) {
				if (store.isKeyEntry(alias)) {
					store.getKey(alias, own.toCharArray());
				}
			}
			return own;
		}
		catch (UnrecoverableKeyException ex) {
			return other;
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
