package io.github.consullock.autoconfigure;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Key stores for TLS, in a folder of the test.
 *
 * @param folder where they are made
 */
record TestStores(Path folder) {

	static final String CLIENT_PASSWORD = "client-secret";

	/** A store that trusts one certificate. */
	Path trusting(Path certificate, String password) throws GeneralSecurityException, IOException {
		KeyStore store = KeyStore.getInstance("JKS");
		store.load(null, null);
		try (InputStream pem = Files.newInputStream(certificate)) {
			store.setCertificateEntry("consul", CertificateFactory.getInstance("X.509").generateCertificate(pem));
		}
		Path file = this.folder.resolve("trust.jks");
		try (OutputStream out = Files.newOutputStream(file)) {
			store.store(out, password.toCharArray());
		}
		return file;
	}

	/** A client's key, with a certificate that it signed itself. */
	Path client(String name) throws IOException, InterruptedException {
		Path file = this.folder.resolve(name + ".p12");
		Files.deleteIfExists(file);
		keytool(file, "-genkeypair", "-alias", "client", "-keyalg", "RSA", "-dname", "CN=" + name);
		return file;
	}

	/** The certificate of a client, as PEM. */
	Path certificateOf(Path client) throws IOException, InterruptedException {
		Path file = Path.of(client + ".pem");
		keytool(client, "-exportcert", "-rfc", "-alias", "client", "-file", file.toString());
		return file;
	}

	/** The private key of a client, as PEM. */
	Path privateKeyOf(Path client) throws GeneralSecurityException, IOException {
		KeyStore store = KeyStore.getInstance(client.toFile(), CLIENT_PASSWORD.toCharArray());
		byte[] key = store.getKey("client", CLIENT_PASSWORD.toCharArray()).getEncoded();
		return Files.writeString(Path.of(client + ".key.pem"), "-----BEGIN PRIVATE KEY-----\n"
				+ Base64.getMimeEncoder().encodeToString(key) + "\n-----END PRIVATE KEY-----\n");
	}

	private static void keytool(Path store, String... arguments) throws IOException, InterruptedException {
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
		command.addAll(List.of(arguments));
		command.addAll(List.of("-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", CLIENT_PASSWORD));
		Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
		String output = new String(keytool.getInputStream().readAllBytes(), Charset.defaultCharset());
		assertThat(keytool.waitFor()).as(output).isZero();
	}

}
