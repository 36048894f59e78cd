package io.github.consullock.consul;

import io.github.consullock.testserver.ConsulServer;
import io.github.consullock.testserver.ConsulTest;

/**
 * The contract, against a real Consul.
 */
@ConsulTest
class HttpConsulClientContractTests extends ConsulClientContractTests {

	private final ConsulServer consul;

	HttpConsulClientContractTests(ConsulServer consul) {
		this.consul = consul;
	}

	@Override
	ConsulClient createClient() {
		return HttpConsulClient.builder(this.consul.httpUri()).readTimeout(SECONDS).build();
	}

}
