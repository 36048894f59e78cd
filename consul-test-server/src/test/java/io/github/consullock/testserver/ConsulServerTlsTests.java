package io.github.consullock.testserver;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ConsulServerTlsTests {

	@Test
	void servesHttpsThatOnlyItsOwnAuthorityVouchesFor() throws Exception {
		try (ConsulServer server = ConsulServer.builder().tls().start()) {
			HttpClient trusting = HttpClient.newBuilder().sslContext(trust(server)).build();
			HttpRequest request = leader(server.httpsUri());
			assertThat(trusting.send(request, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(200);
			URI byName = URI.create("https://localhost:" + server.httpsUri().getPort());
			assertThat(trusting.send(leader(byName), HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(200);
			HttpClient other = HttpClient.newHttpClient();
			assertThatExceptionOfType(SSLHandshakeException.class)
				.isThrownBy(() -> other.send(request, HttpResponse.BodyHandlers.ofString()));
		}
	}

	private static HttpRequest leader(URI base) {
		return HttpRequest.newBuilder(base.resolve("/v1/status/leader")).build();
	}

	private static SSLContext trust(ConsulServer server) throws Exception {
		KeyStore store = KeyStore.getInstance("PKCS12");
		store.load(null);
		try (InputStream pem = Files.newInputStream(server.caCertificate())) {
			store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
		}
		TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		trust.init(store);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, trust.getTrustManagers(), null);
		return context;
	}

}
