package io.github.consullock.testserver;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * An authority and a server certificate of it, made by the JDK's own {@code keytool} and
 * written as the PEM files that Consul reads.
 */
final class ServerCertificate {

	static final String CA_FILE = "ca.pem";

	static final String CERTIFICATE_FILE = "server.pem";

	static final String KEY_FILE = "server-key.pem";

	private static final String PASSWORD = "changeit";

	private static final Duration KEYTOOL_TIMEOUT = Duration.ofMinutes(1);

	private static final int PEM_LINE = 64;

	private final Path directory;

	private final Path store;

	private ServerCertificate(Path directory) {
		this.directory = directory;
		this.store = directory.resolve("keys.p12");
	}

	/**
	 * Writes the three files.
	 * @param directory the directory to create
	 * @param names the names that the certificate is for, as keytool takes them
	 * @throws IOException if that fails
	 */
	static void create(Path directory, List<String> names) throws IOException {
		Files.createDirectories(directory);
		new ServerCertificate(directory).create(names);
	}

	private void create(List<String> names) throws IOException {
		generate("ca", "CN=Consul test authority", List.of("-ext", "bc:c=ca:true", "-ext", "ku:c=keyCertSign,cRLSign"));
		generate("server", "CN=Consul test server", List.of("-signer", "ca", "-ext", "san=" + String.join(",", names),
				"-ext", "eku=serverAuth,clientAuth"));
		try (InputStream content = Files.newInputStream(this.store)) {
			KeyStore keys = KeyStore.getInstance("PKCS12");
			keys.load(content, PASSWORD.toCharArray());
			write(CA_FILE, "CERTIFICATE", keys.getCertificate("ca").getEncoded());
			write(CERTIFICATE_FILE, "CERTIFICATE", keys.getCertificate("server").getEncoded());
			write(KEY_FILE, "PRIVATE KEY", keys.getKey("server", PASSWORD.toCharArray()).getEncoded());
		}
		catch (GeneralSecurityException ex) {
			throw new IOException("The key store that keytool wrote cannot be read", ex);
		}
		Files.delete(this.store);
	}

	private void generate(String alias, String name, List<String> more) throws IOException {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias",
						alias, "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "3650", "-dname", name,
						"-storetype", "PKCS12", "-keystore", this.store.toString(), "-storepass", PASSWORD));
		command.addAll(more);
		ExternalCommand.of(command).run(KEYTOOL_TIMEOUT);
	}

	private void write(String file, String type, byte[] content) throws IOException {
		String base64 = Base64.getMimeEncoder(PEM_LINE, "\n".getBytes(StandardCharsets.US_ASCII))
			.encodeToString(content);
		Files.writeString(this.directory.resolve(file),
				"-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(type, base64, type));
	}

}
