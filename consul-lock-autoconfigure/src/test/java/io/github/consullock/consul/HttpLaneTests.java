package io.github.consullock.consul;

import java.io.OutputStream;
import java.net.URI;
import java.time.Duration;

import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What one request may do to the connections of all.
 */
@ConsulTest
class HttpLaneTests {

	private static final Duration SECONDS = Duration.ofSeconds(20);

	@Test
	void laneOutlivesAnErrorInARequest(ConsulServer consul) throws Exception {
		HttpLane lane = new HttpLane(1, SECONDS, SECONDS, null);
		assertThat(send(lane, consul.httpUri(), get()).status()).isEqualTo(200);
		BasicClassicHttpRequest failing = new BasicClassicHttpRequest("PUT", "/v1/kv/k");
		failing.setHeader(HttpHeaders.CONTENT_LENGTH, 5);
		failing.setEntity(new HttpEntityWrapper(new StringEntity("value")) {
			@Override
			public void writeTo(OutputStream out) {
				throw new LinkageError("Thrown by the test");
			}
		});
		assertThatExceptionOfType(LinkageError.class).isThrownBy(() -> send(lane, consul.httpUri(), failing));
		assertThat(lane.leased()).isZero();
		assertThat(send(lane, consul.httpUri(), get()).status()).isEqualTo(200);
		lane.close();
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> send(lane, consul.httpUri(), get()));
	}

	@Test
	void laneThatIsClosedBeforeItsFirstRequestSendsNone(ConsulServer consul) {
		HttpLane lane = new HttpLane(1, SECONDS, SECONDS, null);
		assertThat(lane.leased()).isZero();
		lane.close();
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> send(lane, consul.httpUri(), get()));
	}

	private static ClassicHttpRequest get() {
		return new BasicClassicHttpRequest("GET", "/v1/status/leader");
	}

	private static ConsulAnswer send(HttpLane lane, URI consul, ClassicHttpRequest request) throws Exception {
		HttpHost host = new HttpHost(consul.getScheme(), consul.getHost(), consul.getPort());
		request.setHeader(HttpHeaders.HOST, host.toHostString());
		return lane.send(new HttpRoute(host), request, RequestDeadline.in(SECONDS), HttpClientContext.create());
	}

}
